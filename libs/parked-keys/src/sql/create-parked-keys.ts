import type { Migration } from '@tidings/core';

/**
 * `parked_key`: one row a key that waits at a place; no row, not parked. `identity` is the digest of direction, place and key, which may be of any
 * length; the texts beside it are for people.
 *
 * state: waiting (its head is tried again at `due_at`) → dead (its head is a dead letter; a person decides) → waiting … → the row is deleted.
 * `due_at` is also the lease: whoever tries the head moves it to the end of his lease and raises `epoch`, and every later statement of his asks for
 * that epoch; a process that slept past its lease changes nothing. `attempts` are the head's, failed so far. `resumed` is the dead head that a
 * redrive replaced last, so that a redrive that is repeated finds it done.
 *
 * `parked_message`: the head, and its followers by `position`. `digest` tells copies: source, id, generation, content; `origin`: source and id.
 * `envelope` is the message without its payload, as JSON in bytes, which unlike jsonb keeps any text; `payload` the codec's exact bytes; `passage` what
 * came with it (stamp, group, route), which stays when a redrive replaces the message.
 */
export const createParkedKeys: Migration = {
  id: 'parked-keys/0001-create-parked-keys',
  up: (s) => `
    create table ${s}.parked_key (
      id bigint generated always as identity primary key,
      identity bytea not null unique,
      direction text not null check (direction in ('inbound', 'outbound')),
      place text not null, -- group@topic, or transport/topic
      key text not null,
      since timestamptz not null default ${s}.now(),
      state text not null check (state in ('waiting', 'dead')),
      due_at timestamptz, -- null: dead
      attempts bigint not null,
      reason text not null,
      epoch bigint not null default 0,
      owner text,
      resumed bytea,
      alarmed_at timestamptz
    );
    create index parked_key_due on ${s}.parked_key (direction, place, due_at) where state = 'waiting';
    create index parked_key_of_place on ${s}.parked_key (direction, place);
    create index parked_key_unalarmed on ${s}.parked_key (since) where alarmed_at is null;

    create table ${s}.parked_message (
      key_id bigint not null references ${s}.parked_key on delete cascade,
      position bigint not null,
      parked_at timestamptz not null default ${s}.now(),
      digest bytea not null,
      origin bytea not null,
      generation bigint not null,
      message_id text not null,
      envelope bytea not null,
      payload bytea not null,
      passage bytea not null,
      primary key (key_id, position),
      unique (key_id, digest)
    );`,
};

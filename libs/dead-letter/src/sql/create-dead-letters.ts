import type { Migration } from '@tidings/core';

/**
 * `dead_letter` keeps what failed for good, each message as it was: whatever arrives must fit, else it could never be buried and would come again for
 * ever. So numbers off the wire are bigint, `bucket` and `time` are text (a foreign message may say anything there), and `headers` is json rather
 * than jsonb, which refuses U+0000.
 *
 * status: dead → redriving → redriven; dead → handled, when a redrive finds that a late copy took effect after all; dead → discarded, by a person.
 * `redriving` has begun to publish with the generation and bucket of `redrive_*`: whoever goes on must send exactly these again.
 *
 * `letter_key` makes a second burial of the same message at the same place a no-op, unless it was redriven and is outbound (insert-letter.ts). `failure_fingerprint` groups letters that failed alike.
 * `edited_payload` is what a redrive sends instead of `payload`, which stays as it was.
 *
 * `failed_attempt` remembers the failed attempts of messages that are still being retried, in whatever process that was.
 */
export const createDeadLetters: Migration = {
  id: 'dead-letter/0001-create-dead-letters',
  up: (s) => `
    create table ${s}.dead_letter (
      id bigint generated always as identity primary key,
      status text not null default 'dead' check (status in ('dead', 'redriving', 'redriven', 'handled', 'discarded')),
      buried_at timestamptz not null default ${s}.now(),
      settled_at timestamptz, -- when it was redriven, found handled or discarded
      redrive_generation bigint, redrive_bucket text,
      letter_key bytea not null unique,
      failure_fingerprint bytea not null,
      direction text not null check (direction in ('inbound', 'outbound')),
      transport text not null,
      place text not null, -- the group, or the destination
      audience text, -- outbound: the one group that the message was addressed to
      handler text,
      reason text not null,
      attempts bigint not null,
      failures jsonb not null,
      message_id text not null, source text not null, type text not null, version bigint not null, topic text not null,
      key text, time text not null, content_type text not null, bucket text, generation bigint not null, crc32c bigint,
      tenant text,
      headers json not null,
      payload bytea not null, edited_payload bytea
    );
    create index dead_letter_open on ${s}.dead_letter (id) where status in ('dead', 'redriving');
    create index dead_letter_alike on ${s}.dead_letter (failure_fingerprint, id) where status in ('dead', 'redriving');

    create table ${s}.failed_attempt (
      id bigint generated always as identity primary key,
      noted_at timestamptz not null default ${s}.now(),
      letter_key bytea not null,
      failures jsonb not null
    );
    create index failed_attempt_of on ${s}.failed_attempt (letter_key, id);`,
};

import type { Migration } from '@tidings/core';

/**
 * Messages that are written before it is known whether they may leave. `undecided` ones are asked for from `check_at` on; a decided one keeps its row,
 * without its payload, so that a second decision can be told from a first, until the retention is over.
 */
export const createPrepared: Migration = {
  id: 'outbox/0001-create-prepared',
  up: (s) => `
    create table ${s}.prepared (
      source text not null, message_id text not null,
      status text not null default 'undecided' check (status in ('undecided', 'committed', 'rolled-back', 'dead-lettered')),
      prepared_at timestamptz not null default ${s}.now(),
      decided_at timestamptz,
      check_at timestamptz not null, -- when somebody is to be asked next
      checks int not null default 0,
      transports text[] not null, optional boolean not null,
      type text not null, version int not null, topic text not null, key text,
      content_type text not null, crc32c bigint,
      payload bytea not null, headers jsonb not null,
      primary key (source, message_id)
    );
    create index prepared_undecided on ${s}.prepared (check_at) where status = 'undecided';
    create index prepared_decided on ${s}.prepared (decided_at) where status <> 'undecided';`,
};

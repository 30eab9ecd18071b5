import type { Migration } from '@tidings/core';

/**
 * Replies on their way to the process that asked. Unlogged: a reply is worth nothing after a crash of the server, whose connections are gone with it, and
 * so costs no write-ahead log. Whoever it is for deletes it as it reads it; what nobody fetched is deleted when it has expired.
 */
export const createReplies: Migration = {
  id: 'postgres-log/0005-create-replies',
  up: (s) => `
    create unlogged table ${s}.reply (
      id bigint generated always as identity primary key,
      address text not null,
      expires_at timestamptz not null,
      topic text not null,
      attributes jsonb not null,
      headers jsonb not null,
      payload bytea not null
    );
    create index reply_address on ${s}.reply (address);
    create index reply_expires_at on ${s}.reply (expires_at);`,
};

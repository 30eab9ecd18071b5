import type { Migration } from '@tidings/core';

/**
 * One row a message that a subscription has handled, in a table a day: retention is DROP, never DELETE.
 *
 * The digest leads the key because it decides nearly every comparison by one memcmp; the group's name, which is the same for all rows of a busy
 * subscription, is then hardly ever looked at, and its collation is "C". Columns stand widest alignment first, so that a row has no padding: 110 bytes,
 * and as much in the index, measured with a subscription's name of 30 letters. `sealed` is null but for rows that a redrive wrote; null is free here,
 * for the row header has room for the bitmap of 8 columns.
 *
 * Foreign messages have no bucket: '-infinity' stands for it, and their rows go by age (the one index on `handled_at`).
 */
export const createInbox: Migration = {
  id: 'inbox/0001-create-inbox',
  up: (s) => `
    create table ${s}.inbox (
      handled_at timestamptz not null default ${s}.now(),
      bucket date not null,
      generation int not null,
      digest bytea not null, -- of source and id
      subscription text collate "C" not null, -- group@topic
      fingerprint bytea not null, -- of type and content
      sealed boolean, -- true: never handled, and never will be, for a redrive took the message over
      primary key (digest, subscription, generation, bucket)
    ) partition by list (bucket);
    create table ${s}.inbox_foreign partition of ${s}.inbox for values in ('-infinity');
    create index inbox_foreign_handled_at on ${s}.inbox_foreign (handled_at);

    create table ${s}.inbox_horizon ( -- one row: buckets before it may have been dropped, nothing of them may be handled
      one boolean primary key default true check (one),
      oldest date not null
    );
    insert into ${s}.inbox_horizon (oldest) values ('-infinity');`,
};

import type { Migration } from '@tidings/core';

/**
 * What the callback service knows. Confirmations are filed by the bucket of their message, in a table a day, and given up by DROP. A check is there only
 * while confirmations are missing, or until it is due: a message that all have confirmed in time costs none.
 */
export const createCallback: Migration = {
  id: 'callback/0001-create-callback',
  up: (s) => `
    create table ${s}.callback_subscription (
      type text not null, group_name text not null,
      since timestamptz not null,
      told_at timestamptz not null default ${s}.now(),
      primary key (type, group_name)
    );
    create table ${s}.callback_confirmation (
      sent_at timestamptz not null,
      confirmed_at timestamptz not null, -- by the consumer's clock
      received_at timestamptz not null default ${s}.now(),
      bucket date not null,
      copy boolean not null,
      digest bytea not null, -- of source and id
      group_name text collate "C" not null,
      primary key (digest, group_name, bucket)
    ) partition by list (bucket);
    create table ${s}.callback_check (
      digest bytea primary key,
      type text not null,
      sent_at timestamptz not null,
      groups text[], -- null: by the registry
      due_at timestamptz not null,
      created_at timestamptz not null default ${s}.now(),
      asked int not null default 0,
      answer text, -- of the last question; null: none, or the sender could not be asked
      resent_groups text[] not null default '{}',
      recheck_id text not null, recheck_source text not null, recheck_generation int not null, recheck_bucket date, recheck_time text not null,
      payload jsonb not null
    );
    create index on ${s}.callback_check (due_at);
    create table ${s}.callback_count (name text primary key, n bigint not null);`,
};

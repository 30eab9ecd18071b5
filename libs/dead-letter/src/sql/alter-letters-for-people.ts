import type { Migration } from '@tidings/core';

/**
 * What people need to find, edit and settle letters.
 *
 * `position` is the id of the first letter of a message that failed again after a redrive: letters of one key are redriven in the order of
 * coalesce(position, id), which is the order in which they failed at first. `redrive_job` names the job that redrove a letter.
 *
 * Text off the wire may be longer than an index row, which would keep a letter from being filed: indexes hold its first 200 characters, and whoever
 * looks something up by them compares the whole text too.
 *
 * `dead_letter_audit` tells who changed a letter, when, why and to what; the letter's own payload and headers are never changed.
 */
export const alterLettersForPeople: Migration = {
  id: 'dead-letter/0002-letters-for-people',
  up: (s) => `
    alter table ${s}.dead_letter
      add column position bigint,
      add column trace_id text,
      add column edited_headers json,
      add column redrive_job bigint;
    create index dead_letter_type on ${s}.dead_letter (left(type, 200), id) where status in ('dead', 'redriving');
    create index dead_letter_place on ${s}.dead_letter (left(place, 200), id) where status in ('dead', 'redriving');
    create index dead_letter_order on ${s}.dead_letter (coalesce(position, id), id) where status in ('dead', 'redriving');
    create index dead_letter_key on ${s}.dead_letter (left(key, 200), id) where key is not null;
    create index dead_letter_message on ${s}.dead_letter (left(message_id, 200), id);
    create index dead_letter_trace on ${s}.dead_letter (trace_id, id) where trace_id is not null;
    create index dead_letter_settled on ${s}.dead_letter (settled_at, id) where settled_at is not null;
    create index dead_letter_redriven on ${s}.dead_letter (redrive_job, left(key, 200), coalesce(position, id), id)
      where redrive_job is not null and key is not null;
    create index failed_attempt_age on ${s}.failed_attempt (noted_at, id);

    create table ${s}.dead_letter_audit (
      letter bigint not null references ${s}.dead_letter (id) on delete cascade,
      id bigint generated always as identity,
      at timestamptz not null default ${s}.now(),
      by text not null,
      action text not null,
      reason text not null,
      payload bytea, headers json, -- of an edit: what it set
      primary key (letter, id)
    );`,
};

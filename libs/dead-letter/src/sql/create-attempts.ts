import type { Migration } from '@tidings/core';

/**
 * `attempt` has a row for each suspect that a handler is working on: a message that was delivered before and not settled. The row is committed before
 * the handler begins and deleted when the message is settled, so one that is found `running` at the next delivery tells of a process that died, or was
 * killed, over it. Nearly always empty.
 */
export const createAttempts: Migration = {
  id: 'dead-letter/0004-create-attempts',
  up: (s) => `
    create table ${s}.attempt (
      letter_key bytea primary key,
      running boolean not null default true,
      instance text not null, -- that began it last
      began_at timestamptz not null default ${s}.now(),
      deaths int not null default 0,
      died_in text[] not null default '{}'
    );`,
};

import type { Migration } from '@tidings/core';

/**
 * One row that lives exactly as long as the server has lost nothing: a crash, an immediate stop and a fail-over empty unlogged tables, an orderly
 * restart does not. What a process remembers of transaction ids is true within one incarnation only: after a crash the ids of transactions that
 * had not reached the disk are given again, and a remembered snapshot would take new messages for seen.
 */
export const createIncarnation: Migration = {
  id: 'postgres-log/0003-create-incarnation',
  up: (s) => `
    create unlogged table ${s}.incarnation (
      one boolean primary key default true check (one),
      id uuid not null default gen_random_uuid()
    );
    insert into ${s}.incarnation default values;`,
};

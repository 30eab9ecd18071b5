import type { Migration } from '@tidings/core';

/**
 * `orphaned_at`: since when the process that an audience `group#uuid` stands for has been seen without a membership. Found dead once is not enough: after
 * an outage of the database every process looks dead until it has said again that it lives.
 */
export const alterDestinationOrphaned: Migration = {
  id: 'postgres-log/0006-destination-orphaned',
  up: (s) => `
    alter table ${s}.destination add column orphaned_at timestamptz;
    create index destination_of_process on ${s}.destination (id) where audience like '%#%';`,
};

import type { Migration } from '@tidings/core';

/**
 * `rate_bucket` has a row for each rate that processes share: the time of the last token that was given away, ahead of the clock while somebody waits for
 * his. Tokens that were not used are those since then, `burst` at most (GCRA, ITU-T I.371). Rows are few and often updated: half of a page stays free.
 */
export const createRateBuckets: Migration = {
  id: 'postgres-log/0008-create-rate-buckets',
  up: (s) => `
    create table ${s}.rate_bucket (
      name text primary key,
      next_at timestamptz not null
    ) with (fillfactor = 50);`,
};

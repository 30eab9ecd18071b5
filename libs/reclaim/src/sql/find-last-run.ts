import { type ReclaimReport, type Store, table, timestampOf } from '@tidings/core';

/** What the last finished run of the cluster did. */
export interface ReclaimRun {
  /** The process that ran, as in dead letters. */
  readonly instance: string;
  /** RFC 3339, by the database's clock. */
  readonly finishedAt: string;
  readonly reports: readonly ReclaimReport[];
}

/** Undefined: none has finished yet. */
export async function findLastRun(store: Store): Promise<ReclaimRun | undefined> {
  const { rows } = await store.query<{ owner: string; finished_at: { getTime(): number }; reports: ReclaimReport[] }>({
    text: `select owner, finished_at, reports from ${table(store, 'reclaim')} where finished_at is not null`,
  });
  const [row] = rows;
  return row && { instance: row.owner, finishedAt: timestampOf(row.finished_at.getTime()), reports: row.reports };
}

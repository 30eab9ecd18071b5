import type { Pool } from 'pg';

export interface Progress {
  /** Gifts that were settled at least once, summed over the groups. */
  readonly settled: number;
  /** The last row's id: whatever happens moves it. */
  readonly lastRow: number;
}

/** How far the groups are. Asked a few times a second, over some ten thousand rows: 5 ms. */
export async function measureProgress(pool: Pool, run: string, groups: readonly string[]): Promise<Progress> {
  const { rows } = await pool.query<{ settled: string; last_row: string | null }>(
    `select count(distinct (app, gift_id)) filter (where event = 'settled') as settled, max(id) as last_row
       from demo.history
      where run = $1 and app = any($2) and gift_id is not null`,
    [run, groups],
  );
  return { settled: Number(rows[0]?.settled ?? 0), lastRow: Number(rows[0]?.last_row ?? 0) };
}

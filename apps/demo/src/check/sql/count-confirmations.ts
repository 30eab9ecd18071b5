import type { Pool } from 'pg';

/** Messages that each group has confirmed. Gifts are the only ones here that are to be. */
export async function countConfirmations(pool: Pool): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query<{ group_name: string; n: string }>(
    `select group_name, count(*) as n from tidings.callback_confirmation group by group_name`,
  );
  return new Map(rows.map(({ group_name, n }) => [group_name, Number(n)]));
}

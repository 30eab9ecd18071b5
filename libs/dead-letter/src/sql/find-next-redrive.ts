import { type Store, table } from '@tidings/core';

/** Until the next running job is due: the end of its holder's lease, or of its pause. Undefined when none runs. */
export async function findNextRedrive(store: Store): Promise<number | undefined> {
  const { rows } = await store.query<{ next_ms: string | number }>({
    text: `select extract(epoch from next_at - ${table(store, 'now')}()) * 1000 as next_ms from ${table(store, 'redrive_job')}
      where status = 'running' order by next_at, id limit 1`,
    values: [],
  });
  return rows[0] && Math.max(0, Number(rows[0].next_ms));
}

import { type Store, table } from '@tidings/core';

export type BeginRun =
  | { readonly begun: true }
  /** Somebody else runs, or ran a short while ago; it is worth asking again after this. */
  | { readonly begun: false; readonly nextMs: number };

/**
 * Takes the lease and the turn in one statement: in a cluster one process runs, each `everyMs`, whoever asks first. The lease outlives a run that hangs
 * by no more than `leaseMs`.
 */
export async function beginRun(store: Store, owner: string, everyMs: number, leaseMs: number): Promise<BeginRun> {
  const reclaim = table(store, 'reclaim');
  const now = `${table(store, 'now')}()`;
  const { rows } = await store.query<{ begun: boolean; next_ms: number }>({
    text: `with begun as (
             update ${reclaim} set owner = $1, lease_until = ${now} + $3 * interval '1 ms', started_at = ${now},
                    due_at = ${now} + $2 * interval '1 ms'
              where due_at <= ${now} and lease_until <= ${now} returning owner)
           select exists(select from begun) as begun,
                  extract(epoch from greatest(due_at, lease_until, ${now}) - ${now})::float8 * 1000 as next_ms from ${reclaim}`,
    values: [owner, everyMs, leaseMs],
  });
  const [row] = rows;
  return row?.begun ? { begun: true } : { begun: false, nextMs: Math.max(1_000, row?.next_ms ?? 0) };
}

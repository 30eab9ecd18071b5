import { type Store, table } from '@tidings/core';

export type RotationOutcome = 'rotated' | 'young' | 'archived' | 'locked' | 'unread' | 'unheard';

/** One try to empty the next segment and go there; see `create-rotation.ts`. */
export async function rotateSegment(
  store: Store,
  {
    afterMs,
    fullBytes,
    archiveMs,
  }: { readonly afterMs: number; readonly fullBytes: number; readonly archiveMs: number },
): Promise<RotationOutcome> {
  const { rows } = await store.query<{ outcome: RotationOutcome }>({
    text: `select ${table(store, 'rotate')}($1 * interval '1 ms', $2, $3 * interval '1 ms') as outcome`,
    values: [afterMs, fullBytes, archiveMs],
  });
  return rows[0]!.outcome;
}

import { type Store, table } from '@tidings/core';
import type { RecheckPayload } from '../callback.contracts';
import { missingGroups } from '../missing-groups';

/** One message whose confirmations are to be looked at now. */
export interface DueCheck {
  readonly digest: Buffer;
  /** Groups that were expected and have not confirmed. */
  readonly missing: readonly string[];
  /** Questions so far, this one included. */
  readonly asked: number;
  readonly answer: string | null;
  readonly recheck_id: string;
  readonly recheck_source: string;
  readonly recheck_generation: number;
  readonly recheck_bucket: string | null;
  readonly recheck_time: string;
  readonly payload: RecheckPayload;
}

/**
 * Takes the checks that are due, the oldest first. Taking one puts its next time off, so that another process leaves it alone meanwhile, and a
 * process that dies with it in hand has it asked again then.
 */
export async function claimChecks(
  store: Store,
  { againMs, maxAgainMs }: { readonly againMs: number; readonly maxAgainMs: number },
  limit: number,
): Promise<DueCheck[]> {
  const check = table(store, 'callback_check');
  const now = `${table(store, 'now')}()`;
  const { rows } = await store.query<DueCheck>({
    text: `update ${check} c
        set asked = c.asked + 1,
            due_at = ${now} + least($2::float8, $1::float8 * power(2, least(c.asked, 30))) * interval '1 ms'
      where c.digest = any(array(select digest from ${check} where due_at <= ${now} order by due_at limit $3 for update skip locked))
      returning c.digest, c.asked, c.answer, c.recheck_id, c.recheck_source, c.recheck_generation, c.recheck_bucket::text as recheck_bucket,
        c.recheck_time, c.payload, ${missingGroups(store, 'c')} as missing`,
    values: [againMs, maxAgainMs, limit],
  });
  return rows;
}

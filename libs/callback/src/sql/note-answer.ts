import { type Queryable, type Store, table } from '@tidings/core';
import type { ResendAnswer } from '../resender';

/** Keeps what the sender answered; for `sent`, to whom: a first sending that is confirmed after that was a false alarm. */
export async function noteAnswer(
  store: Store,
  on: Queryable,
  digest: Buffer,
  answer: ResendAnswer | null,
  groups: readonly string[],
): Promise<void> {
  await on.query({
    text: `update ${table(store, 'callback_check')} set answer = $2,
        resent_groups = case when $2 = 'sent' then array(select distinct g from unnest(resent_groups || $3::text[]) u(g)) else resent_groups end
      where digest = $1`,
    values: [digest, answer, groups],
  });
}

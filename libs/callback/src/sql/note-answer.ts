import { type Queryable, type Store, table } from '@tidings/core';
import type { ResendAnswer } from '../resender';

/** Keeps what the sender answered; for `sent`, when and to whom, which tells a false alarm from a confirmation that came of it. */
export async function noteAnswer(
  store: Store,
  on: Queryable,
  digest: Buffer,
  answer: ResendAnswer | null,
  groups: readonly string[],
  askedAt: string,
): Promise<void> {
  await on.query({
    text: `update ${table(store, 'callback_check')} set answer = $2,
        resent_at = case when $2 = 'sent' then coalesce(resent_at, $4::timestamptz) else resent_at end,
        resent_groups = case when $2 = 'sent' then array(select distinct g from unnest(resent_groups || $3::text[]) u(g)) else resent_groups end
      where digest = $1`,
    values: [digest, answer, groups, askedAt],
  });
}

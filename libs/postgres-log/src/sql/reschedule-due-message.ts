import { type Queryable, type Store, table } from '@tidings/core';

/**
 * Gives a waiting message another time. The bucket may only grow: the inbox must still remember the message on the day it comes. False: it is not
 * there, or has just moved into the log.
 */
export async function rescheduleDueMessage(
  store: Store,
  on: Queryable,
  messageId: string,
  when: { readonly delayMs?: number; readonly deliverAt?: string },
): Promise<boolean> {
  const { rowCount } = await on.query({
    text: `with at as (select coalesce($2::timestamptz, ${table(store, 'now')}() + $3::float8 * interval '1 ms') as due_at)
      update ${table(store, 'due')} d set due_at = at.due_at, bucket = greatest(d.bucket, (at.due_at at time zone 'UTC')::date)
        from at where d.message_id = $1
         and d.destination in (select id from ${table(store, 'destination')} where audience = '')`,
    values: [messageId, when.deliverAt ?? null, when.delayMs ?? 0],
  });
  return rowCount > 0;
}

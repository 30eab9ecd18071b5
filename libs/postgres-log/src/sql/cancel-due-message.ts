import { type Queryable, type Store, table } from '@tidings/core';

/** Takes a message that waits for its time away, at all its destinations. False: it is not there, or has just moved into the log. */
export async function cancelDueMessage(store: Store, on: Queryable, messageId: string): Promise<boolean> {
  const { rowCount } = await on.query({
    text: `delete from ${table(store, 'due')} where message_id = $1
             and destination in (select id from ${table(store, 'destination')} where audience = '')`,
    values: [messageId],
  });
  return rowCount > 0;
}

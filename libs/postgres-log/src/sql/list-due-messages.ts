import { type Store, table, timestampOf } from '@tidings/core';

export interface DueMessage {
  readonly messageId: string;
  readonly type: string;
  readonly topic: string;
  readonly key: string | null;
  readonly transport: string;
  /** RFC 3339. */
  readonly deliverAt: string;
  /** Where the next page begins. */
  readonly cursor: string;
}

/** Messages that wait for their time, in the order in which they were filed; retries that wait are not listed. */
export async function listDueMessages(store: Store, limit: number, after: string): Promise<DueMessage[]> {
  const { rows } = await store.query<Omit<DueMessage, 'deliverAt'> & { due_at: { getTime(): number } }>({
    text: `select d.message_id as "messageId", d.type, d.aggregatetype as topic, d.aggregateid as key, t.transport, d.due_at,
             d.id::text as cursor
        from ${table(store, 'due')} d join ${table(store, 'destination')} t on t.id = d.destination
       where t.audience = '' and d.id > $2 order by d.id limit $1`,
    values: [limit, after],
  });
  return rows.map(({ due_at, ...row }) => ({ ...row, deliverAt: timestampOf(due_at.getTime()) }));
}

import { laneOf, type Message, type Queryable, type Store, table } from '@tidings/core';
import { type LogRow, messageOfRow, ROW_COLUMNS } from '../log-row';

/** What a message is looked up by. */
export interface LoggedIdentity {
  readonly id: string;
  readonly source: string;
  readonly topic: string;
  readonly key: string | null;
  /** The transaction that wrote it (xid8 as text): what makes this a look into an index, for ids have none. */
  readonly transaction: string;
}

/** The message as it was written, while its segment is kept; undefined when its transaction rolled back, is open, or the segment was emptied. */
export async function findMessage(store: Store, on: Queryable, sought: LoggedIdentity): Promise<Message | undefined> {
  const { rows } = await on.query<LogRow>({
    text: `select ${ROW_COLUMNS} from ${table(store, 'message')}
      where destination = any(array(select id from ${table(store, 'destination')} where topic = $1 and audience = ''))
        and lane = $2 and xid = $3::xid8 and id = $4 and source = $5 and generation = 0 limit 1`,
    values: [sought.topic, laneOf(sought), sought.transaction, sought.id, sought.source],
  });
  return rows[0] && messageOfRow(rows[0]);
}

import type { Pool } from 'pg';
import type { HistoryEvent, HistoryRow } from '../evidence';

interface Row {
  readonly id: string;
  readonly app: string;
  readonly event: HistoryEvent;
  readonly message_id: string;
  readonly gift_id: string | null;
}

/** A run's history of gifts, in the order written. Other messages (ranking.changed …) have no gift and are left out. */
export async function readHistory(pool: Pool, run: string): Promise<HistoryRow[]> {
  const { rows } = await pool.query<Row>(
    `select id, app, event, message_id, gift_id from demo.history where run = $1 and gift_id is not null order by id`,
    [run],
  );
  return rows.map((row) => ({
    id: Number(row.id),
    app: row.app,
    event: row.event,
    messageId: row.message_id,
    giftId: row.gift_id,
  }));
}

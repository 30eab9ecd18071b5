import type { Pool } from 'pg';

export interface HistoryRow {
  readonly run: string;
  readonly app: string;
  readonly event: string;
  readonly messageId: string;
  readonly giftId: string | null;
  readonly roomId: string | null;
  readonly ordinal: number | null;
  readonly attempt: number;
  readonly detail: string | null;
}

export async function insertHistory(pool: Pool, row: HistoryRow): Promise<void> {
  await pool.query({
    name: 'insert-history',
    text: `insert into demo.history (run, app, event, message_id, gift_id, room_id, ordinal, attempt, detail)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    values: [row.run, row.app, row.event, row.messageId, row.giftId, row.roomId, row.ordinal, row.attempt, row.detail],
  });
}

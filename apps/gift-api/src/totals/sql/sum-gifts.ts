import type { EntityManager } from 'typeorm';
import type { GiftTotal } from '@tidings/gift-contracts';

interface Row {
  readonly room_id: string;
  readonly streamer_id: string;
  readonly viewer_id: string;
  readonly gifts: string;
  readonly amount_minor: string;
}

/** All gifts, summed for each room and viewer. Reads the whole table: for the check and for a person, not for every page view. */
export async function sumGifts(manager: EntityManager): Promise<GiftTotal[]> {
  const rows = await manager.query<Row[]>(
    `select room_id, streamer_id, viewer_id, count(*) as gifts, sum(amount_minor) as amount_minor
     from gift_api.gift group by room_id, streamer_id, viewer_id order by room_id, viewer_id`,
  );
  return rows.map((row) => ({
    roomId: row.room_id,
    streamerId: row.streamer_id,
    viewerId: row.viewer_id,
    gifts: Number(row.gifts),
    amountMinor: Number(row.amount_minor),
  }));
}

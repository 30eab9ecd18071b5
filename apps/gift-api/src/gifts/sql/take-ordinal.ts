import type { EntityManager } from 'typeorm';

export interface Place {
  readonly streamerId: string;
  readonly ordinal: number;
}

/**
 * The next place in a room, and the lock on the room until the transaction ends: whoever publishes after this, in the same transaction, publishes in
 * the order of the ordinals. A room that nobody opened before opens itself.
 */
export async function takeOrdinal(manager: EntityManager, roomId: string): Promise<Place> {
  const [place] = await manager.query<{ streamer_id: string; ordinal: string }[]>(
    `insert into gift_api.room as room (room_id, title, streamer_id, streamer_name, ordinal)
     values ($1, $1, 'streamer-of-' || $1, $1, 1)
     on conflict (room_id) do update set ordinal = room.ordinal + 1
     returning streamer_id, ordinal`,
    [roomId],
  );
  return { streamerId: place!.streamer_id, ordinal: Number(place!.ordinal) };
}

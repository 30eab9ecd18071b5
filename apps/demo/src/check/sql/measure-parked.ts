import type { Pool } from 'pg';

export interface Parked {
  /** Keys whose head waits for its next attempt. */
  readonly waiting: number;
  /** Keys whose head is a dead letter. */
  readonly dead: number;
  /** Messages behind those heads, the heads included. */
  readonly messages: number;
}

/** What is parked at a group, in all processes. */
export async function measureParked(pool: Pool, group: string): Promise<Parked> {
  const { rows } = await pool.query<{ waiting: string; dead: string; messages: string }>(
    `select count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'dead') as dead,
        coalesce(sum((select count(*) from tidings.parked_message m where m.key_id = k.id)), 0) as messages
       from tidings.parked_key k where direction = 'inbound' and place = $1 || '@gift.sent'`,
    [group],
  );
  const [row] = rows;
  return { waiting: Number(row?.waiting), dead: Number(row?.dead), messages: Number(row?.messages) };
}

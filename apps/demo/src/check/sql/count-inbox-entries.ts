import type { Pool } from 'pg';

/** How many entries all inboxes together have of these gifts: 16 bytes of a digest of the message's source and id, which is the gift's. */
export async function countInboxEntries(pool: Pool, giftIds: readonly string[]): Promise<number> {
  const { rows } = await pool.query<{ n: string }>(
    `select count(*) as n from tidings.inbox i join unnest($1::text[]) gift (id)
       on i.digest = substr(sha256(convert_to('gift-api', 'UTF8') || '\\x00'::bytea || convert_to(gift.id, 'UTF8')), 1, 16)`,
    [giftIds],
  );
  return Number(rows[0]!.n);
}

import { type Store, table } from '@tidings/core';

/**
 * Stores what a redrive is going to send, unless an earlier one that did not end has stored it: then that stays. False when the letter is settled.
 *
 * Inbound: the next generation, which the group's inbox has not seen, in the bucket of today (UTC, as everywhere). Outbound: the generation and
 * bucket that it had, for nobody gave up on handling it; should a copy have slipped through before, inboxes know it by these.
 */
export async function beginRedrive(store: Store, id: string, job: string | null): Promise<boolean> {
  const { rowCount } = await store.query({
    text: `update ${table(store, 'dead_letter')} set status = 'redriving', redrive_job = $2::bigint,
        redrive_generation = case direction when 'inbound' then generation + 1 else generation end,
        redrive_bucket = case direction when 'inbound' then to_char(${table(store, 'now')}() at time zone 'UTC', 'YYYY-MM-DD') else bucket end
      where id = $1::bigint and status = 'dead'`,
    values: [id, job],
  });
  return rowCount === 1;
}

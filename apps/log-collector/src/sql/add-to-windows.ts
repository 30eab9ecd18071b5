import type { ClientBase } from 'pg';
import type { WindowCount } from '../window-counts';

/** Adds to each window in one statement, in the order given. */
export async function addToWindows(client: ClientBase, counts: readonly WindowCount[]): Promise<void> {
  await client.query(
    `insert into window_count (begin_ms, action, events)
     select * from unnest($1::bigint[], $2::text[], $3::bigint[])
     on conflict (begin_ms, action) do update set events = window_count.events + excluded.events`,
    [counts.map(({ beginMs }) => beginMs), counts.map(({ action }) => action), counts.map(({ events }) => events)],
  );
}

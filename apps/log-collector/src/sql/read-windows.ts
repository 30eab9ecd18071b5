import type { Pool } from 'pg';
import type { WindowCount } from '../window-counts';

export async function readWindows(pool: Pool): Promise<WindowCount[]> {
  const { rows } = await pool.query<{ begin: string; action: string; events: string }>(
    'select begin_ms as begin, action, events from window_count order by begin_ms, action',
  );
  return rows.map(({ begin, action, events }) => ({ beginMs: Number(begin), action, events: Number(events) }));
}

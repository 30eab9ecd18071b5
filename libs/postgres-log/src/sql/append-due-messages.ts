import { type Queryable, type Store, table } from '@tidings/core';
import type { LogEntry } from '../log-entry';
import { columnValues, WRITTEN_COLUMNS, WRITTEN_NAMES, WRITTEN_TYPES } from '../log-row';
import { prepared } from '../prepared-statement';

/**
 * Files messages that are due later. A fresh one's bucket is the date on which it is due: the inbox must still remember it then, however long the
 * delay.
 */
export async function appendDueMessages(store: Store, on: Queryable, entries: readonly LogEntry[]): Promise<void> {
  const rows = entries.map((entry) => [...columnValues(entry), entry.delayMs, entry.dueAt ?? null]);
  const arrays = [...WRITTEN_NAMES, 'delay_ms', 'due_at'].map((_, index) => rows.map((row) => row[index]));
  const unnested = [...WRITTEN_TYPES, 'float8', 'timestamptz']
    .map((type, index) => `$${index + 1}::${type}[]`)
    .join(', ');
  const now = `${table(store, 'now')}()`;
  const due = `coalesce(m.due_at, ${now} + m.delay_ms * interval '1 ms')`;
  const selected = WRITTEN_NAMES.map((name) => {
    if (name === 'created_at') return `coalesce(m.created_at, ${now})`;
    if (name === 'bucket')
      return `case when m.created_at is null then (${due} at time zone 'UTC')::date else m.bucket end`;
    return name === 'headers' ? 'm.headers::jsonb' : `m.${name}`;
  });
  await on.query(
    prepared(
      store,
      'append.due',
      `insert into ${table(store, 'due')} (due_at, ${WRITTEN_COLUMNS.replace(/\bid\b/, 'message_id')})
         select ${due}, ${selected.join(', ')} from unnest(${unnested}) with ordinality m(${WRITTEN_NAMES.join(', ')}, delay_ms, due_at, n) order by m.n`,
      arrays,
    ),
  );
}

import { type Queryable, type Store, table } from '@tidings/core';
import type { LogEntry } from '../log-entry';
import { columnValues, WRITTEN_COLUMNS, WRITTEN_NAMES, WRITTEN_TYPES } from '../log-row';
import { prepared } from '../prepared-statement';

/** `headers` travels as text because a jsonb[] parameter would be quoted twice; a fresh entry's time and bucket become the database's. */
const select = (store: Store, column: (name: string) => string): string =>
  WRITTEN_NAMES.map((name) => {
    if (name === 'created_at') return `coalesce(${column(name)}, ${table(store, 'now')}())`;
    if (name === 'bucket')
      return `case when ${column('created_at')} is null then (${table(store, 'now')}() at time zone 'UTC')::date else ${column(name)} end`;
    if (name === 'headers') return `${column(name)}::jsonb`;
    return column(name);
  }).join(', ');

/**
 * Appends to the current segment, in the order given. One message goes by scalar parameters: binary, and 5 % faster than arrays of one. The ORDER
 * BY makes `seq` follow the array.
 */
export async function appendMessages(store: Store, on: Queryable, entries: readonly LogEntry[]): Promise<void> {
  const into = `insert into ${table(store, 'message')} (segment, ${WRITTEN_COLUMNS})`;
  const control = table(store, 'control');
  const [first] = entries;
  if (!first) return;
  if (entries.length === 1) {
    const column = (name: string): string =>
      `$${WRITTEN_NAMES.indexOf(name) + 1}::${WRITTEN_TYPES[WRITTEN_NAMES.indexOf(name)]}`;
    await on.query(
      prepared(
        store,
        'append',
        `${into} select c.segment, ${select(store, column)} from ${control} c`,
        columnValues(first),
      ),
    );
    return;
  }
  const rows = entries.map(columnValues);
  const arrays = WRITTEN_NAMES.map((_, index) => rows.map((row) => row[index]));
  const unnested = WRITTEN_TYPES.map((type, index) => `$${index + 1}::${type}[]`).join(', ');
  await on.query(
    prepared(
      store,
      'append.many',
      `${into} select c.segment, ${select(store, (name) => `m.${name}`)}
         from ${control} c, unnest(${unnested}) with ordinality m(${WRITTEN_NAMES.join(', ')}, n) order by m.n`,
      arrays,
    ),
  );
}

import { type Statement, type Store, table } from '@tidings/core';
import type { LogEntry } from '../log-entry';
import { columnValues, WRITTEN_NAMES, WRITTEN_TYPES } from '../log-row';
import { prepared } from '../prepared-statement';

/** Of a message that nobody has tried, redriven or copied these are the database's, null, or the columns' defaults. */
const UNSET: readonly string[] = ['generation', 'attempts', 'sequence', 'epoch', 'epoch_start'];
const OF_DATABASE: readonly string[] = ['created_at', 'bucket'];

const given = WRITTEN_NAMES.map((_, index) => index).filter(
  (index) => ![...UNSET, ...OF_DATABASE].includes(WRITTEN_NAMES[index]!),
);

/** Appends one fresh message to the current segment, by 14 parameters in place of 21: nearly every publish. Its text is made once. */
export function appendingFresh(store: Pick<Store, 'schema'>): (entry: LogEntry) => Statement {
  const now = `${table(store, 'now')}()`;
  const names = given.map((index) => WRITTEN_NAMES[index]!);
  const values = given.map((index, n) => {
    const type = WRITTEN_TYPES[index]!;
    return WRITTEN_NAMES[index] === 'headers' ? `$${n + 1}::${type}::jsonb` : `$${n + 1}::${type}`;
  });
  const statement = prepared(
    store,
    'append.fresh',
    `insert into ${table(store, 'message')} (segment, ${OF_DATABASE.join(', ')}, ${names.join(', ')})
       select c.segment, ${now}, (${now} at time zone 'UTC')::date, ${values.join(', ')} from ${table(store, 'control')} c`,
    [],
  );
  return (entry) => {
    const all = columnValues(entry);
    return { ...statement, values: given.map((index) => all[index]) };
  };
}

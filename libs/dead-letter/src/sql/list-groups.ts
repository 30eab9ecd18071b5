import { type Store, table } from '@tidings/core';
import { LAST_ERROR, OPEN } from '../letter-conditions';
import type { GroupedBy, LetterGroup } from '../letter-group';
import { timestampText } from '../timestamp-text';

/** What an index of open letters begins with, and how a value of it looks as text. */
const GROUPED: Readonly<
  Record<GroupedBy, { column: string; text: (sql: string) => string; value: (sql: string) => string }>
> = {
  failure: {
    column: 'failure_fingerprint',
    text: (sql) => `encode(${sql}, 'hex')`,
    value: (sql) => `decode(${sql}, 'hex')`,
  },
  type: { column: 'left(type, 200)', text: (sql) => sql, value: (sql) => `${sql}::text` },
  place: { column: 'left(place, 200)', text: (sql) => sql, value: (sql) => `${sql}::text` },
};

/**
 * A page of groups of open letters. It jumps from one group to the next along an index, reads the first and last of each, and counts up to
 * `countTo`: its cost grows with the number of groups, not of letters.
 */
export async function listGroups(
  store: Store,
  by: GroupedBy,
  after: string | undefined,
  limit: number,
  countTo: number,
): Promise<LetterGroup[]> {
  const { column, text, value } = GROUPED[by];
  const letters = table(store, 'dead_letter');
  const next = (condition: string): string =>
    `select ${column} from ${letters} where ${OPEN} and ${condition} order by ${column}, id limit 1`;
  const end = (direction: 'asc' | 'desc', columns: string): string =>
    `(select ${columns} from ${letters} where ${OPEN} and ${column} = g.value order by ${column} ${direction}, id ${direction} limit 1)`;
  const { rows } = await store.query<LetterGroup>({
    text: `with recursive g(value, n) as (
        (select (${next(after === undefined ? 'true' : `${column} > ${value('$3')}`)}), 1)
        union all
        select (${next(`${column} > g.value`)}), n + 1 from g where g.value is not null and n < $1::int)
      select ${text('g.value')} as value, counted.n as count, counted.n = $2::int as "orMore",
        ${timestampText('first.buried_at')} as "firstAt", ${timestampText('last.buried_at')} as "lastAt",
        json_build_object('id', last.id::text, 'type', last.type, 'place', last.place, 'reason', last.reason, 'errorName', last.error_name) as example
      from g
        cross join lateral (select count(*)::int as n from (select from ${letters} where ${OPEN} and ${column} = g.value limit $2::int) c) counted
        cross join lateral ${end('asc', 'buried_at')} first
        cross join lateral ${end('desc', `id, buried_at, type, place, reason, ${LAST_ERROR.name} as error_name`)} last
      where g.value is not null order by g.n`,
    values: [limit, countTo, ...(after === undefined ? [] : [after])],
  });
  return rows.map((row) => ({ ...row, by }));
}

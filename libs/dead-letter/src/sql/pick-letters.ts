import { type Store, table } from '@tidings/core';
import { conditionsOf, OPEN } from '../letter-conditions';
import type { CheckedLetterFilter } from '../letter-filter';
import type { JobCursor } from '../redrive-job';

export interface PickedLetter extends JobCursor {
  readonly direction: 'inbound' | 'outbound';
  readonly place: string;
  readonly key: string | null;
}

interface Row {
  readonly examined: number;
  readonly to_position: string | null;
  readonly to_id: string | null;
  readonly id: string | null;
  readonly position: string;
  readonly direction: PickedLetter['direction'];
  readonly place: string;
  readonly key: string | null;
}

export interface LettersPicked {
  readonly letters: readonly PickedLetter[];
  /** Where to go on when all of `letters` are dealt with; undefined at the end. */
  readonly next: JobCursor | undefined;
}

export type PickedSelection = { readonly filter: CheckedLetterFilter } | { readonly ids: readonly string[] };

const EXAMINED = 2_000;

/** The next letters of a job, in the order in which their messages failed first, found among the next `EXAMINED` open ones at most. */
export async function pickLetters(
  store: Store,
  selection: PickedSelection,
  { position, id }: JobCursor,
  upto: string,
  limit: number,
): Promise<LettersPicked> {
  const values: unknown[] = [position, id, upto, limit, EXAMINED];
  const add = (value: unknown): string => `$${values.push(value)}`;
  const order = 'coalesce(position, id), id';
  const checked = 'ids' in selection ? 'true' : conditionsOf(selection.filter, add);
  const named = 'ids' in selection ? `and id = any(${add(selection.ids)}::bigint[])` : '';
  const { rows } = await store.query<Row>({
    text: `with examined as materialized (
        select * from ${table(store, 'dead_letter')} where ${OPEN} and (${order}) > ($1::bigint, $2::bigint) and coalesce(position, id) <= $3::bigint
          ${named} order by ${order} limit $5::int),
      found as (select * from examined where id <= $3::bigint and ${checked} order by ${order} limit $4::int)
      select e.*, id::text, coalesce(position, id)::text as position, direction, place, key
      from (select count(*)::int as examined, (array_agg(coalesce(position, id)::text order by ${order}))[count(*)] as to_position,
          (array_agg(id::text order by ${order}))[count(*)] as to_id from examined) e left join found on true
      order by coalesce(found.position, found.id), found.id`,
    values,
  });
  const letters = rows.flatMap(({ id: found, position: at, direction, place, key }) =>
    found === null ? [] : [{ id: found, position: at, direction, place, key }],
  );
  const last = letters.at(-1);
  const { examined = 0, to_position, to_id } = rows[0] ?? {};
  if (last && letters.length === limit) return { letters, next: last };
  const more = examined === EXAMINED && to_position && to_id;
  return { letters, next: more ? { position: to_position, id: to_id } : undefined };
}

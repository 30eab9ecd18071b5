import { type Store, table } from '@tidings/core';
import { conditionsOf, indexFor, LAST_ERROR } from '../letter-conditions';
import type { CheckedLetterFilter } from '../letter-filter';
import type { LetterSummary } from '../stored-letter';
import { timestampText } from '../timestamp-text';

interface Row extends Omit<LetterSummary, 'id' | 'attempts' | 'generation'> {
  /** Null in the one row that tells of no letter. */
  readonly id: string | null;
  readonly attempts: string;
  readonly generation: string;
  readonly examined: number;
  readonly examinedTo: string | null;
}

export interface LettersRead {
  readonly letters: readonly LetterSummary[];
  /** Where to read on; undefined at the end. */
  readonly next: string | undefined;
}

/** Letters that one statement looks at, whatever it finds: a filter that fits hardly any of a million must not hold a snapshot for long. */
const EXAMINED = 2_000;

/** Letters by id, from `after` on, found along one index among the next `EXAMINED` at most. */
export async function listLetters(
  store: Store,
  filter: CheckedLetterFilter,
  order: 'oldest' | 'newest',
  after: string,
  limit: number,
  examined = EXAMINED,
): Promise<LettersRead> {
  const values: unknown[] = [after, limit, examined];
  const add = (value: unknown): string => `$${values.push(value)}`;
  const checked = conditionsOf(filter, add);
  const { within, by } = indexFor(filter, add);
  const [beyond, upTo, direction, furthest] =
    order === 'oldest' ? (['>', '<=', 'asc', 'max'] as const) : (['<', '>=', 'desc', 'min'] as const);
  // A range and no equality: for that, the planner would take any index ordered by id, and filter.
  const walked = by
    ? `(${by.column}, id) ${beyond} (${by.value}, $1::bigint) and ${by.column} ${upTo} ${by.value} order by ${by.column} ${direction}, id ${direction}`
    : `id ${beyond} $1::bigint order by id ${direction}`;
  const { rows } = await store.query<Row>({
    text: `with examined as materialized (
        select * from ${table(store, 'dead_letter')} where ${within} and ${walked} limit $3::int),
      found as (select * from examined where ${checked} order by id ${direction} limit $2::int)
      select e.examined, e."examinedTo", id::text, status, ${timestampText('buried_at')} as "buriedAt", ${timestampText('settled_at')} as "settledAt",
        encode(failure_fingerprint, 'hex') as "failureFingerprint", direction, transport, place, handler, reason, ${LAST_ERROR.name} as "errorName",
        attempts::text, message_id as "messageId", source, type, topic, key, generation::text, tenant, trace_id as "traceId",
        edited_payload is not null or edited_headers is not null as edited
      from (select count(*)::int as examined, ${furthest}(id)::text as "examinedTo" from examined) e left join found on true
      order by found.id ${direction}`,
    values,
  });
  const letters = rows.flatMap(({ examined: _examined, examinedTo: _examinedTo, ...row }) =>
    row.id === null ? [] : [{ ...row, id: row.id, attempts: Number(row.attempts), generation: Number(row.generation) }],
  );
  const { examined: count = 0, examinedTo } = rows[0] ?? {};
  const full = letters.length === limit ? letters.at(-1)?.id : undefined;
  return { letters, next: full ?? (count === examined ? (examinedTo ?? undefined) : undefined) };
}

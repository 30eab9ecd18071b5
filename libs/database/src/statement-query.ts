import type { QueryResult, Statement } from '@tidings/core';
import type { QueryConfig, QueryResult as PgResult } from 'pg';

/** Without values and name, pg sends the simple protocol, in which a text may hold several statements: migrations need that. */
export const queryConfig = ({ text, values, name }: Statement, prepared = true): QueryConfig => ({
  text,
  ...(values && { values: [...values] }),
  ...(prepared && name !== undefined && { name }),
});

/** pg answers an array for a text of several statements, whatever its types say: the last one's result is the answer. */
export function asQueryResult<Row extends object>(result: PgResult | PgResult[]): QueryResult<Row> {
  const last = Array.isArray(result) ? result.at(-1) : result;
  return { rows: (last?.rows ?? []) as Row[], rowCount: last?.rowCount ?? 0 };
}

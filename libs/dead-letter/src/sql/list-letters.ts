import { type Store, table } from '@tidings/core';
import type { LetterStatus, LetterSummary } from '../stored-letter';
import { timestampText } from '../timestamp-text';

type Row = Omit<LetterSummary, 'attempts' | 'generation'> & { readonly attempts: string; readonly generation: string };

/** A page, oldest first, by the primary key or, for the usual two statuses, by the index of open letters. */
export async function listLetters(
  store: Store,
  status: readonly LetterStatus[],
  after: string,
  limit: number,
): Promise<LetterSummary[]> {
  const open = status.every((one) => one === 'dead' || one === 'redriving');
  const { rows } = await store.query<Row>({
    text: `select id::text, status, ${timestampText('buried_at')} as "buriedAt", ${timestampText('settled_at')} as "settledAt",
        encode(failure_fingerprint, 'hex') as "failureFingerprint", direction, transport, place, handler, reason,
        attempts::text, message_id as "messageId", source, type, topic, key, generation::text, tenant
      from ${table(store, 'dead_letter')}
      where id > $1::bigint and status = any($2::text[]) ${open ? "and status in ('dead', 'redriving')" : ''}
      order by id limit $3`,
    values: [after, status, limit],
  });
  return rows.map((row) => ({ ...row, attempts: Number(row.attempts), generation: Number(row.generation) }));
}

import { type Store, table } from '@tidings/core';
import type { AuditEntry } from '../stored-letter';
import { timestampText } from '../timestamp-text';

type Row = Omit<AuditEntry, 'headers'> & { readonly headers: string | null };

/** What was done to a letter, oldest first. */
export async function listAudit(store: Store, id: string): Promise<AuditEntry[]> {
  const { rows } = await store.query<Row>({
    text: `select ${timestampText('at')} as at, by, action, reason, payload, headers::text
      from ${table(store, 'dead_letter_audit')} where letter = $1::bigint order by letter, id`,
    values: [id],
  });
  return rows.map((row) => ({
    ...row,
    headers: row.headers === null ? null : (JSON.parse(row.headers) as Record<string, string>),
  }));
}

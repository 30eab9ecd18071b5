import { type Queryable, type Store, table } from '@tidings/core';
import { PREPARED_COLUMNS, type PreparedRow, type PreparedStatus } from '../prepared-row';

/**
 * Decides an undecided message and returns it as it was; undefined when it is not (any longer) undecided. A decision under way in another transaction
 * is waited for. The payload goes: what is decided is kept only to know a second decision by.
 */
export async function decidePrepared(
  store: Store,
  on: Queryable,
  source: string,
  id: string,
  status: Exclude<PreparedStatus, 'undecided'>,
): Promise<PreparedRow | undefined> {
  const prepared = table(store, 'prepared');
  const columns = PREPARED_COLUMNS.replace(/\w+/g, (name) => `was.${name}`);
  // The lock's own query sees the row as the last commit left it, and the update beside it can no longer meet another status.
  const { rows } = await on.query<PreparedRow>({
    text: `with was as materialized (
             select * from ${prepared} where source = $1 and message_id = $2 and status = 'undecided' for update),
           decided as (
             update ${prepared} p set status = $3, decided_at = ${table(store, 'now')}(), payload = '', headers = '{}'
               from was where p.source = was.source and p.message_id = was.message_id returning p.message_id)
           select ${columns} from was, decided`,
    values: [source, id, status],
  });
  return rows[0];
}

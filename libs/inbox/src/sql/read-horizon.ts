import { type Store, table } from '@tidings/core';
import { horizon, today } from '../inbox-sql';

/** Days as YYYY-MM-DD, so that they compare as texts do. All by the database's date. */
export interface Horizon {
  readonly oldest: string;
  readonly today: string;
  readonly tomorrow: string;
  readonly newest: string;
}

export async function readHorizon(store: Store, retentionDays: number, aheadDays: number): Promise<Horizon> {
  const day = (sql: string): string => `to_char(${sql}, 'YYYY-MM-DD')`;
  const { rows } = await store.query<Horizon>({
    text: `select ${day(horizon(store, '$1::int'))} as oldest, ${day(today(store))} as today, ${day(`${today(store)} + 1`)} as tomorrow,
        ${day(`${today(store)} + $2::int`)} as newest
      from ${table(store, 'inbox_horizon')} h`,
    values: [retentionDays, aheadDays],
  });
  return rows[0]!;
}

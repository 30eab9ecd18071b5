import type { EntityManager } from 'typeorm';
import type { LedgerAccount, RevenueTotal } from '@tidings/gift-contracts';

interface Row {
  readonly streamer_id: string;
  readonly account: LedgerAccount;
  readonly entries: string;
  readonly amount_minor: string;
}

/** The ledger's sums for each account of one streamer, or of all. */
export async function sumAccounts(manager: EntityManager, streamerId: string | null): Promise<RevenueTotal[]> {
  const rows = await manager.query<Row[]>(
    `select streamer_id, account, count(*) as entries, sum(amount_minor) as amount_minor
     from revenue_share.ledger_entry where $1::text is null or streamer_id = $1
     group by streamer_id, account order by streamer_id, account`,
    [streamerId],
  );
  return rows.map((row) => ({
    streamerId: row.streamer_id,
    account: row.account,
    entries: Number(row.entries),
    amountMinor: Number(row.amount_minor),
  }));
}

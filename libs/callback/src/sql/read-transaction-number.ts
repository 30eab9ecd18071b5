import type { Transaction } from '@tidings/core';

/** The number (xid8) of an open transaction: what tells later whether it is still open. One round trip, no write. */
export async function readTransactionNumber(transaction: Transaction): Promise<string> {
  const { rows } = await transaction.query<{ number: string }>({ text: `select pg_current_xact_id()::text as number` });
  return rows[0]!.number;
}

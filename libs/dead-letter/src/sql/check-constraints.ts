import type { Transaction } from '@tidings/core';

/** Checks now what a transaction would check at its commit. Rejects with what it violates. */
export async function checkConstraints(transaction: Transaction): Promise<void> {
  await transaction.query({ text: 'do $$ begin set constraints all immediate; end $$' });
}

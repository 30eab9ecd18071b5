import { TidingsError, type Transaction } from '@tidings/core';
import type { ClientBase } from 'pg';
import type { EntityManager } from 'typeorm';

/** A handler's MessageContext, or whatever else has a transaction. */
export interface HasTransaction {
  readonly transaction: Transaction | undefined;
}

/** The handler does not run in a transaction, or in none of the kind asked for. */
export class HandlerTransactionError extends TidingsError {
  constructor(expected: string, found: string, wayOut: string) {
    super('TIDINGS_HANDLER_TRANSACTION', `expected a handler inside ${expected}, found ${found}; ${wayOut}`);
  }
}

const LEVEL = "use level 'effectivelyOnce' (the default), or open a transaction of your own";

function transactionOf(context: HasTransaction, expected: string): Transaction {
  if (!context.transaction) throw new HandlerTransactionError(expected, 'none', LEVEL);
  return context.transaction;
}

/** TypeORM's manager of the transaction that a handler runs in: what it saves commits together with the inbox row and the handler's publishes. */
export function managerOf(context: HasTransaction): EntityManager {
  const transaction = transactionOf(context, "a TypeORM store's transaction");
  if ('manager' in transaction) return transaction.manager as EntityManager;
  throw new HandlerTransactionError(
    "a TypeORM store's transaction",
    'one of another store',
    'use clientOf(context), or give the handler a typeorm(…) store',
  );
}

/** The pg client of the transaction that a handler runs in, of a pg or a TypeORM store. Never end its transaction: Tidings does. */
export function clientOf(context: HasTransaction): ClientBase {
  const transaction = transactionOf(context, "a pg store's transaction");
  if ('client' in transaction) return transaction.client as ClientBase;
  throw new HandlerTransactionError(
    "a pg store's transaction",
    'one of another store',
    'give the handler a pg(…) or typeorm(…) store',
  );
}

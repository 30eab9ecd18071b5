import type { Message, Store, Transaction } from '@tidings/core';
import { type PreparedStatus, undecidedOf, type UndecidedMessage } from './prepared-row';
import { type CheckBackPace, claimUndecided } from './sql/claim-undecided';
import { decidePrepared } from './sql/decide-prepared';
import { deleteDecided } from './sql/delete-decided';
import { findPreparedStatus } from './sql/find-prepared-status';
import { insertPrepared, type PreparedDestination } from './sql/insert-prepared';
import { listUndecided } from './sql/list-undecided';
import { lockUndecided } from './sql/lock-undecided';
import { measureOverdue, type Overdue } from './sql/measure-overdue';

/** Where prepared messages are kept. What a false, a page or an undefined means is told in the statements' files. */
export interface PreparedTable {
  /** As part of the transaction, or durable by itself. */
  insert(
    transaction: Transaction | undefined,
    message: Message,
    destination: PreparedDestination,
    checkAfterMs: number,
  ): Promise<boolean>;
  decide(
    transaction: Transaction,
    source: string,
    id: string,
    status: Exclude<PreparedStatus, 'undecided'>,
  ): Promise<UndecidedMessage | undefined>;
  status(transaction: Transaction, source: string, id: string): Promise<PreparedStatus | undefined>;
  undecided(limit: number): Promise<readonly UndecidedMessage[]>;
  claim(types: readonly string[], pace: CheckBackPace, limit: number): Promise<readonly UndecidedMessage[]>;
  lock(transaction: Transaction, source: string, id: string): Promise<boolean>;
  deleteDecided(retentionMs: number, limit: number): Promise<number>;
  overdue(sinceMs: number, limit: number): Promise<Overdue>;
}

/** A table that is in this process tells when somebody is to be asked; any other is looked at from time to time. */
export interface TellsWhenToAsk {
  /** Until one of these types is to be asked for; undefined: none waits. */
  nextMs(types: readonly string[]): number | undefined;
  /** Calls `listener` at each message that is prepared. */
  onPrepared(listener: () => void): void;
}

export const tellsWhenToAsk = (table: PreparedTable): table is PreparedTable & TellsWhenToAsk => 'onPrepared' in table;

/** The table in a store's database. */
export const preparedInTable = (store: Store): PreparedTable => ({
  insert: (transaction, message, destination, checkAfterMs) =>
    insertPrepared(store, transaction ?? store, message, destination, checkAfterMs),
  decide: async (transaction, source, id, status) => {
    const row = await decidePrepared(store, transaction, source, id, status);
    return row && undecidedOf(row);
  },
  status: (transaction, source, id) => findPreparedStatus(store, transaction, source, id),
  undecided: async (limit) => (await listUndecided(store, limit)).map(undecidedOf),
  claim: async (types, pace, limit) => (await claimUndecided(store, types, pace, limit)).map(undecidedOf),
  lock: (transaction, source, id) => lockUndecided(store, transaction, source, id),
  deleteDecided: (retentionMs, limit) => deleteDecided(store, retentionMs, limit),
  overdue: (sinceMs, limit) => measureOverdue(store, sinceMs, limit),
});

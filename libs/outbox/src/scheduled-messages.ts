import { OptionsError, type Store, type Transaction } from '@tidings/core';
import { cancelDueMessage, type DueMessage, listDueMessages, rescheduleDueMessage } from '@tidings/postgres-log';
import type { OutboxLog } from './outbox';

/** When: one of the two. */
export interface Schedule {
  /** Milliseconds from now, by the database's clock. */
  readonly delayMs?: number;
  /** RFC 3339, with its zone. */
  readonly deliverAt?: string;
}

/** Where messages wait for their time. */
export interface DueMessages {
  list(limit: number, after: string): Promise<DueMessage[]>;
  cancel(transaction: Transaction, messageId: string): Promise<boolean>;
  reschedule(transaction: Transaction, messageId: string, when: Schedule): Promise<boolean>;
}

const dueInTable = (store: Store): DueMessages => ({
  list: (limit, after) => listDueMessages(store, limit, after),
  cancel: (transaction, messageId) => cancelDueMessage(store, transaction, messageId),
  reschedule: (transaction, messageId, when) => rescheduleDueMessage(store, transaction, messageId, when),
});

/** Messages published with `delayMs` or `deliverAt`, until their time has come. */
export class ScheduledMessages {
  readonly #due: DueMessages;

  constructor(private readonly log: Pick<OutboxLog, 'store' | 'signals' | 'due'>) {
    this.#due = log.due ?? dueInTable(log.store);
  }

  /** The oldest filed first; `after` is the last one's `cursor`. Default limit 100. */
  list({ limit = 100, after = '0' }: { readonly limit?: number; readonly after?: string } = {}): Promise<DueMessage[]> {
    return this.#due.list(limit, after);
  }

  /**
   * Takes it back, as part of the transaction: it never leaves if that commits. False when it is not waiting (any more).
   * @throws NotInTransactionError
   */
  cancel(handle: unknown, messageId: string): Promise<boolean> {
    return this.#due.cancel(this.log.store.join(handle), messageId);
  }

  /**
   * Gives it another time, as part of the transaction. False when it is not waiting (any more).
   * @throws NotInTransactionError, or OptionsError for an instant that is none.
   */
  async reschedule(handle: unknown, messageId: string, when: Schedule): Promise<boolean> {
    const transaction = this.log.store.join(handle);
    if (when.deliverAt !== undefined) checkedInstant('deliverAt', when.deliverAt);
    const found = await this.#due.reschedule(transaction, messageId, when);
    if (found) transaction.afterCommit(() => this.log.signals.filedForLater());
    return found;
  }
}

/** @throws OptionsError when it is not an RFC 3339 instant: a text without a zone would mean another time on each server. */
export function checkedInstant(name: string, text: string): string {
  if (/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)$/.test(text)) return text;
  throw new OptionsError(
    name,
    `expected an instant with its zone such as 2026-12-31T23:59:00Z, found ${JSON.stringify(text)}; use date.toISOString()`,
  );
}

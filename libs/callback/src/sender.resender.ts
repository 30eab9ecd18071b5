import { asError, HEADERS, type Message, type Store, type TidingsLogger, type Transaction } from '@tidings/core';
import { SENT_AGAIN } from './confirm.middleware';
import type { ResendAnswer, Resender, ResendQuestion } from './resender';
import { readTransactionStatus } from './sql/read-transaction-status';

/** Finds a message again: `undefined` when its business never happened, or what was found does not tell; 'undecided' when it cannot be told now. */
export type FindAgain = (
  question: ResendQuestion,
  transaction: Transaction,
) => Promise<Message | 'undecided' | undefined>;

export interface SenderResenderSetup {
  /** Where the business data is. */
  readonly store: Store;
  /** From business data, by type: what `@OnResend` says. Undefined for a type that nobody answers for. */
  readonly fromBusiness: (type: string) => FindAgain | undefined;
  /** From the outbox's log, as long as it keeps what it has delivered. */
  readonly fromArchive: FindAgain;
  /** Sends to these groups only. Rejects when a transport did not confirm. */
  readonly send: (message: Message, groups: readonly string[]) => Promise<void>;
  readonly logger: TidingsLogger;
}

/**
 * The sender's own answer. What is found, in the business data or in the outbox's log, was committed, and is sent again. What is not found is judged by
 * its transaction: open, it is undecided; rolled back, it never happened. The transaction is looked at first: what is seen as over then shows in the data.
 */
export class SenderResender implements Resender {
  constructor(private readonly setup: SenderResenderSetup) {}

  /** `within`: an open transaction of the store to look in, for a caller that holds one. Default: one of its own. */
  async resend(question: ResendQuestion, within?: Transaction): Promise<ResendAnswer> {
    const { store, send, logger } = this.setup;
    const status = question.transaction === null ? 'unknown' : await readTransactionStatus(store, question.transaction);
    const business = this.setup.fromBusiness(question.type);
    const find = business ?? this.setup.fromArchive;
    const found = await (within ? find(question, within) : store.run((transaction) => find(question, transaction)));
    if (found === 'undecided') return 'undecided';
    if (found) {
      await send({ ...found, headers: { ...found.headers, [HEADERS.confirm]: SENT_AGAIN } }, question.groups);
      return 'sent';
    }
    if (status === 'in progress') return 'undecided';
    if (status === 'aborted' || business) return 'never';
    const fields = { message: question.id, type: question.type };
    logger.warn({ ...fields, err: asError(new Error(`its transaction is ${status}`)) }, 'a message that is not confirmed is no longer in the log; a method with @OnResend could make it again'); // prettier-ignore
    return 'undecided';
  }
}

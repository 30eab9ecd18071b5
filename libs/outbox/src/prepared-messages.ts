import type { Message, Store, Transaction } from '@tidings/core';
import { AlreadyPreparedError, PreparedDecisionError } from './prepared.errors';
import type { UndecidedMessage } from './prepared-row';
import type { PreparedTable } from './prepared-table';
import type { PreparedDestination } from './sql/insert-prepared';

/** A message that is written and has not left. Whoever prepared it decides; until then it waits, and is asked for (`@OnCheckBack`). */
export interface PreparedMessage {
  readonly message: Message;
  /**
   * Lets it leave: as part of the open transaction of `handle`, or of one of its own. Its place in the order of its key is this commit's, not the
   * preparation's. Idempotent.
   * @throws PreparedDecisionError when it was decided otherwise, NotInTransactionError when no transaction is open in `handle`.
   */
  commit(handle?: unknown): Promise<void>;
  /** It never leaves. Idempotent; throws as `commit` does. */
  rollback(handle?: unknown): Promise<void>;
}

/** Puts the message into the log, as part of the transaction. */
export type Append = (transaction: Transaction, message: Message, destination: PreparedDestination) => Promise<void>;

/**
 * Messages that are written first and decided later: write the message, operate, then say how it went. For operations that no database transaction
 * covers, such as a call to a payment service. A process that dies in between leaves the message undecided, and somebody is asked (RocketMQ's half
 * messages and check-back are the pattern; here the database keeps them, and no number of unanswered questions drops one).
 */
export class PreparedMessages {
  constructor(
    private readonly store: Store,
    /** For patterns. */
    readonly table: PreparedTable,
    private readonly source: string,
    private readonly append: Append,
    private readonly checkAfterMs: number,
  ) {}

  /** @throws AlreadyPreparedError when this source prepared a message of this id before. */
  async prepare(
    message: Message,
    destination: PreparedDestination,
    transaction?: Transaction,
  ): Promise<PreparedMessage> {
    if (!(await this.table.insert(transaction, message, destination, this.checkAfterMs))) {
      throw new AlreadyPreparedError(message.source, message.id);
    }
    return {
      message,
      commit: (handle) => this.commit(message.id, { handle }),
      rollback: (handle) => this.rollback(message.id, { handle }),
    };
  }

  /** Takes over a message that somebody else held undecided, whose source may be another. Nothing when it is known here. */
  async adopt({
    message,
    transports,
    optional,
  }: Pick<UndecidedMessage, 'message' | 'transports' | 'optional'>): Promise<void> {
    await this.table.insert(undefined, message, { transports, optional }, this.checkAfterMs);
  }

  /** As `PreparedMessage.commit`, by the message's id: for a process that did not prepare it. Default source: this service. */
  commit(id: string, { handle, source = this.source }: DecideOptions = {}): Promise<void> {
    return this.#within(handle, async (transaction) => {
      const decided = await this.table.decide(transaction, source, id, 'committed');
      if (!decided) return this.#expect(transaction, source, id, 'committed');
      const { message, transports, optional } = decided;
      await this.append(transaction, message, { transports, optional });
    });
  }

  /** As `PreparedMessage.rollback`, by the message's id. */
  rollback(id: string, { handle, source = this.source }: DecideOptions = {}): Promise<void> {
    return this.#within(handle, async (transaction) => {
      const decided = await this.table.decide(transaction, source, id, 'rolled-back');
      if (!decided) await this.#expect(transaction, source, id, 'rolled-back');
    });
  }

  /** Those without a decision, the one that is asked for next first. Default limit 100. */
  undecided(limit = 100): Promise<readonly UndecidedMessage[]> {
    return this.table.undecided(limit);
  }

  async #expect(on: Transaction, source: string, id: string, wanted: 'committed' | 'rolled-back'): Promise<void> {
    const found = await this.table.status(on, source, id);
    if (found !== wanted) throw new PreparedDecisionError(id, wanted, found);
  }

  #within(handle: unknown, decide: (transaction: Transaction) => Promise<void>): Promise<void> {
    return handle === undefined ? this.store.run(decide) : decide(this.store.join(handle));
  }
}

export interface DecideOptions {
  /** The open transaction that the decision is part of. Default: one of its own. */
  readonly handle?: unknown;
  /** The service that prepared it. Default: this one. */
  readonly source?: string;
}

import {
  asError,
  type Clock,
  dateOf,
  type DeadLetterSink,
  PeriodicTask,
  type Reclaimer,
  type ReclaimReport,
  type Store,
  type TidingsLogger,
  timestampOf,
  type Transaction,
} from '@tidings/core';
import type { ResolvedCheckBackOptions } from './check-back.options';
import type { PreparedMessages } from './prepared-messages';
import type { UndecidedMessage } from './prepared-row';
import { tellsWhenToAsk } from './prepared-table';

/** What the operation behind a prepared message came to. `unknown`: still under way, or not to be told now; asked again later. */
export type CheckBackAnswer = 'commit' | 'rollback' | 'unknown';

/** Asks whoever knows how the operation went. Runs in a transaction that the decision commits with. */
export type AskBack = (undecided: UndecidedMessage, transaction: Transaction) => Promise<CheckBackAnswer>;

export interface CheckBackSetup {
  readonly store: Store;
  readonly prepared: PreparedMessages;
  readonly deadLetters: DeadLetterSink;
  readonly options: ResolvedCheckBackOptions;
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

const PAGE = 50;
const PURGE_PAGE = 1_000;
const OVERDUE_LIMIT = 1_000;

/**
 * Asks for undecided prepared messages, in any number of processes. While one is asked for, its row is locked: a late `commit` of the preparing process
 * waits for the answer, or the question is left out because a decision is under way, so that exactly one decision counts.
 */
export class CheckBack implements Reclaimer {
  readonly name = 'prepared messages';
  readonly #ask = new Map<string, AskBack>();
  readonly #task: PeriodicTask;

  constructor(private readonly setup: CheckBackSetup) {
    const { clock, logger, options } = setup;
    this.#task = new PeriodicTask({
      name: 'check-back',
      everyMs: options.everyMs,
      runOnce: (signal) => this.runOnce(signal),
      clock,
      logger,
    });
    const { table } = setup.prepared;
    if (tellsWhenToAsk(table)) table.onPrepared(() => this.#task.wake());
  }

  /** Who answers for messages of a type in this process; one a type. Before `start`. */
  answer(type: string, ask: AskBack): void {
    this.#ask.set(type, ask);
  }

  /** Does nothing in a process that answers for no type. */
  start(): void {
    if (this.#ask.size > 0) this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** Asks for a page of those whose time has come. */
  async runOnce(signal?: AbortSignal): Promise<{ readonly again: boolean; readonly nextMs?: number }> {
    const { prepared, options } = this.setup;
    const { table } = prepared;
    const types = [...this.#ask.keys()];
    const due = await table.claim(types, { firstMs: options.afterMs, maxMs: options.maxDelayMs }, PAGE);
    for (const undecided of due) {
      if (signal?.aborted) break; // asked again at its next time
      await this.#decide(undecided);
    }
    const nextMs = tellsWhenToAsk(table) ? table.nextMs(types) : undefined;
    return { again: due.length === PAGE && !signal?.aborted, ...(nextMs !== undefined && { nextMs }) };
  }

  /** Forgets old decisions, and tells of messages that nobody asks for. */
  async reclaim(): Promise<ReclaimReport> {
    const { prepared, options, logger } = this.setup;
    const { table } = prepared;
    let forgotten = 0;
    for (let page = PURGE_PAGE; page === PURGE_PAGE; forgotten += page) {
      page = await table.deleteDecided(options.retentionMs, PURGE_PAGE);
    }
    const overdue = await table.overdue(10 * options.everyMs, OVERDUE_LIMIT);
    if (overdue.count > 0) {
      logger.warn(
        overdue,
        'prepared messages wait for a decision and no process asks; deploy a handler with @OnCheckBack for their types',
      );
    }
    return { name: this.name, reclaimed: 0, detail: { forgotten, unasked: overdue.count } };
  }

  async #decide(undecided: UndecidedMessage): Promise<void> {
    const { store, options, logger } = this.setup;
    const { message, checks } = undecided;
    let failure: Error | undefined;
    try {
      if ((await store.run((transaction) => this.#askAndDecide(undecided, transaction))) !== 'unknown') return;
    } catch (thrown) {
      failure = asError(thrown);
      const fields = { message: message.id, type: message.type, checks, err: failure };
      logger.warn(fields, 'a check-back failed; it is asked again');
    }
    if (checks < options.checks) return;
    await this.#bury(undecided, failure).catch((error: unknown) => this.#notBuried(error));
  }

  async #askAndDecide(undecided: UndecidedMessage, transaction: Transaction): Promise<CheckBackAnswer | 'decided'> {
    const { prepared } = this.setup;
    const { id, source, type } = undecided.message;
    if (!(await prepared.table.lock(transaction, source, id))) return 'decided';
    const answer = await this.#ask.get(type)!(undecided, transaction);
    if (answer === 'commit') await prepared.commit(id, { handle: transaction, source });
    if (answer === 'rollback') await prepared.rollback(id, { handle: transaction, source });
    return answer;
  }

  /** The letters first: a crash in between buries them again, which files nothing twice, and a redrive of one is what decides then. */
  async #bury(undecided: UndecidedMessage, error?: Error): Promise<void> {
    const { store, prepared, deadLetters, clock, instance } = this.setup;
    const { message, transports, checks } = undecided;
    const problem = error?.message ?? `asked ${checks} times, the answer was always unknown`;
    await store.run(async (transaction) => {
      if (!(await prepared.table.lock(transaction, message.source, message.id))) return;
      const bucket = dateOf(clock.now()); // a redrive replaces it
      for (const transport of transports) {
        await deadLetters.bury({
          message: { ...message, bucket },
          direction: 'outbound',
          place: `${transport}/${message.topic}`,
          transport,
          reason: `undecided: ${problem}`,
          attempts: checks,
          failures: [
            {
              attempt: checks,
              at: timestampOf(clock.now()),
              instance,
              errors: [{ name: error?.name ?? 'Undecided', message: problem }],
            },
          ],
        });
      }
      await prepared.table.decide(transaction, message.source, message.id, 'dead-lettered');
    });
  }

  #notBuried(error: unknown): void {
    this.setup.logger.error(
      { err: asError(error) },
      'an undecided message could not be dead-lettered; it is asked again',
    );
  }
}

import { type Clock, type Closeable, PeriodicTask, type TidingsLogger } from '@tidings/core';
import type { MessageLog } from './message-log';
import { claimDueMessages } from './sql/claim-due-messages';

const BATCH = 500;

/**
 * Moves messages that have become due into the log. Any number of processes may run it. It sleeps until the earliest due time that it knows of; a
 * newly filed message wakes it, for it may be due earlier.
 */
export class DueMover {
  readonly #task: PeriodicTask;
  #listening: Promise<Closeable> | undefined;

  constructor(
    private readonly log: MessageLog,
    options: { readonly pollMs: number; readonly clock: Clock; readonly logger: TidingsLogger },
  ) {
    this.#task = new PeriodicTask({
      name: 'due messages',
      everyMs: options.pollMs,
      runOnce: () => this.runOnce(),
      clock: options.clock,
      logger: options.logger,
    });
  }

  async start(): Promise<void> {
    this.#listening ??= this.log.signals.listen((signal) => {
      if (signal.kind === 'lost' || signal.kind === 'due') this.#task.wake();
    });
    await this.#listening;
    this.#task.start();
  }

  async stop(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    await (await listening)?.close();
    await this.#task.stop();
  }

  /** Something may have become due. */
  wake(): void {
    this.#task.wake();
  }

  async runOnce(): Promise<{ again: boolean; nextMs?: number }> {
    const { moved, nextMs } = await claimDueMessages(this.log.store, BATCH);
    for (const { destination, lane } of moved) this.log.signals.appended(destination, lane);
    return { again: moved.length === BATCH, ...(nextMs !== undefined && { nextMs }) };
  }
}

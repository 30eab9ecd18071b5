import { asError } from '../errors';
import type { TidingsLogger } from '../logger';
import type { Clock } from './clock';

export interface PeriodicTaskOptions {
  readonly name: string;
  /** From the end of one run to the start of the next; a tenth of it is jitter, so that instances drift apart. */
  readonly everyMs: number;
  /** Returns what it did; a report with `again: true` runs on without waiting. */
  readonly runOnce: (signal: AbortSignal) => Promise<{ readonly again?: boolean; readonly nextMs?: number } | void>;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

/** After a failed run even a wake waits this long: a storm of wakes must not become a storm of failures. */
const FAILURE_PAUSE_MS = 1_000;

/**
 * Runs a piece of work again and again, one run at a time. `start` and `stop` are safe twice, concurrently and out of order.
 * A run that throws is logged and tried again at the next turn: a periodic task never ends by an error.
 */
export class PeriodicTask {
  #stopping: AbortController | undefined;
  /** Aborted: woken since the last run began. */
  #poke = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly options: PeriodicTaskOptions) {}

  start(): void {
    if (this.#stopping) return;
    const stopping = new AbortController();
    this.#stopping = stopping;
    this.#loop = this.#loop.then(() => this.#run(stopping.signal));
  }

  /** Resolves when the run in flight, if any, has ended. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#stopping = undefined;
    this.#poke.abort();
    await this.#loop;
  }

  /** Run now, or once more when a run is under way. */
  wake(): void {
    this.#poke.abort();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { name, everyMs, runOnce, clock, logger } = this.options;
    while (!signal.aborted) {
      this.#poke = new AbortController();
      let waitMs = everyMs * (0.95 + Math.random() * 0.1);
      try {
        const report = await runOnce(signal);
        if (report?.again) continue;
        if (report?.nextMs !== undefined) waitMs = Math.min(waitMs, report.nextMs);
      } catch (thrown) {
        logger.error({ task: name, err: asError(thrown) }, 'a periodic task failed; it runs again at its next turn');
        const pauseMs = Math.min(waitMs, FAILURE_PAUSE_MS);
        await clock.wait(pauseMs, signal);
        waitMs -= pauseMs;
      }
      await clock.wait(waitMs, this.#poke.signal); // stop pokes too
    }
  }
}

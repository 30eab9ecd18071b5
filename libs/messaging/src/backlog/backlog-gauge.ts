import { asError, type Clock, type TidingsLogger } from '@tidings/core';
import type { CheckedBacklogGateOptions } from './backlog-gate.options';

/** A measurement so many times older than `refreshMs` is waited for: after a quiet hour the last one says nothing. */
const STALE = 10;

/** What is counted, and whether it is too much. Shared by all requests that a gate sees. */
export class BacklogGauge {
  #messages = 0;
  #full = false;
  #measuredAt = -Infinity;
  #measuring: Promise<void> | undefined;

  constructor(
    private readonly measure: () => Promise<number>,
    readonly options: CheckedBacklogGateOptions,
    private readonly clock: Clock,
    private readonly logger: TidingsLogger,
  ) {}

  /**
   * The backlog as it was a moment ago, and whether requests are to be refused: from `maxBacklog` up until it has fallen to `resumeAt`. Never rejects:
   * while it cannot be measured, the last answer counts, and before the first measurement nothing is refused.
   */
  async read(): Promise<{ readonly messages: number; readonly full: boolean }> {
    const age = this.clock.monotonic() - this.#measuredAt;
    if (age >= this.options.refreshMs) {
      const measured = (this.#measuring ??= this.#refresh());
      if (age >= STALE * this.options.refreshMs) await measured;
    }
    return { messages: this.#messages, full: this.#full };
  }

  async #refresh(): Promise<void> {
    const { maxBacklog, resumeAt } = this.options;
    try {
      this.#messages = await this.measure();
      this.#full = this.#full ? this.#messages > resumeAt : this.#messages >= maxBacklog;
    } catch (thrown) {
      this.logger.warn({ err: asError(thrown) }, 'the backlog could not be measured; the gate stays as it is');
    } finally {
      this.#measuredAt = this.clock.monotonic();
      this.#measuring = undefined;
    }
  }
}

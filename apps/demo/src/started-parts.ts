import { asError, systemClock, TidingsError } from '@tidings/core';

/** Something that was started and has to be stopped. */
export interface Stoppable {
  readonly name: string;
  stop(): Promise<void>;
  /** Ends it at once where it is a process of ours. */
  kill?(): void;
}

/** Longer than an app's drain time, and then its kill. */
const STOP_WITHIN_MS = 20_000;

/** What was started so far, stopped in the reverse order. A part that does not stop is told and does not keep the others. */
export class StartedParts {
  readonly #parts: Stoppable[] = [];
  #stopping: Promise<void> | undefined;

  constructor(private readonly print: (line: string) => void) {}

  /** Takes the part over. When the stop has begun meanwhile, it is stopped at once: nothing that starts late stays behind. */
  async add(part: Stoppable): Promise<void> {
    if (this.#stopping) return this.#stopOne(part);
    this.#parts.push(part);
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Safe twice: everybody waits for the one stop. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stopAll());
  }

  kill(): void {
    for (const part of this.#parts) part.kill?.();
  }

  async #stopAll(): Promise<void> {
    for (const part of [...this.#parts].reverse()) await this.#stopOne(part);
  }

  async #stopOne(part: Stoppable): Promise<void> {
    try {
      const gone = new AbortController();
      const late = systemClock.wait(STOP_WITHIN_MS, gone.signal).then(() => {
        if (!gone.signal.aborted)
          throw new TidingsError('DEMO_STOP', `expected it to stop within ${STOP_WITHIN_MS} ms`);
      });
      await Promise.race([part.stop().finally(() => gone.abort()), late]);
    } catch (thrown) {
      this.print(`${part.name} did not stop well: ${asError(thrown).message}`);
    }
  }
}

import { asError, backoffMs, type NativeDeadLetter } from '@tidings/core';
import { readDeadLetters } from './native-dead-letters';
import type { RedisConnection } from './redis-connection';
import type { ConnectionSettings } from './redis-connection.options';

export type Bury = (letter: NativeDeadLetter) => Promise<void>;

const POLL_MS = 1_000;

/**
 * Empties a group's stream of dead letters into a keeper, one letter at a time: deleted when it is buried. Several processes may do it at once and bury a
 * letter twice, which `bury` must bear anyway.
 */
export class DeadLetterTaker {
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(
    private readonly place: { readonly stream: string; readonly topic: string },
    private readonly bury: Bury,
    private readonly connection: RedisConnection,
    private readonly settings: ConnectionSettings,
  ) {}

  start(): void {
    this.#running ??= this.#run();
  }

  /** Waits for the letter that is being buried. Safe twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    const { stream, topic } = this.place;
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted;) {
      try {
        const [oldest] = await readDeadLetters(this.connection, stream, topic, 1);
        if (oldest) {
          await this.bury(oldest.letter);
          await this.connection.call('XDEL', [stream, oldest.id]);
        } else await clock.wait(POLL_MS, signal);
        failures = 0;
      } catch (thrown) {
        logger.warn({ topic, err: asError(thrown) }, 'a dead letter waits: it was not buried');
        await clock.wait(backoffMs(++failures, reconnectMaxMs), signal);
      }
    }
  }
}

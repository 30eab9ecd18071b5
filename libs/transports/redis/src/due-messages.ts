import { asError, PeriodicTask } from '@tidings/core';
import type { ReleasedMessages } from './lua/release-due';
import type { RedisConnection } from './redis-connection';
import type { ConsumingSettings } from './redis-consuming.options';
import type { RedisNames } from './redis-names';

const PAGE = 100;

/** Moves up to `limit` of a topic's messages that are due. */
export type ReleaseDue = (connection: RedisConnection, base: string, limit: number) => Promise<ReleasedMessages>;

/** Looks after the delayed messages of the topics that this process reads: whoever is first moves what is due, by Redis's clock. */
export class DueMessages {
  readonly #topics = new Set<string>();
  readonly #task: PeriodicTask;

  constructor(
    private readonly connection: RedisConnection,
    private readonly names: RedisNames,
    private readonly settings: ConsumingSettings,
    private readonly release: ReleaseDue,
  ) {
    const { clock, logger, delayPollMs } = settings;
    this.#task = new PeriodicTask({ name: 'redis delays', everyMs: delayPollMs, runOnce: () => this.#run(), clock, logger }); // prettier-ignore
  }

  watch(topic: string): void {
    this.#topics.add(topic);
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  async #run(): Promise<{ readonly again?: boolean; readonly nextMs?: number }> {
    let again = false;
    let nextMs = this.settings.delayPollMs;
    for (const topic of this.#topics) {
      try {
        const due = await this.release(this.connection, this.names.base(topic), PAGE);
        if (due.homeless > 0)
          this.settings.logger.error({ topic, messages: due.homeless }, 'delayed messages were dropped: their group was removed'); // prettier-ignore
        again ||= due.released >= PAGE;
        nextMs = Math.min(nextMs, due.nextMs ?? nextMs);
      } catch (thrown) {
        this.settings.logger.debug({ topic, err: asError(thrown) }, 'delayed messages wait: Redis is away');
      }
    }
    return { again, nextMs };
  }
}

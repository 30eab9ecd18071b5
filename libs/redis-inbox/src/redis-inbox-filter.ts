import { asError, PeriodicTask } from '@tidings/core';
import type { InboxEntry, InboxFilter } from '@tidings/inbox';
import { entryKey } from './inbox-keys';
import {
  type RedisInboxFilterOptions,
  redisInboxFilterSettings,
  type RedisInboxFilterSettings,
} from './redis-inbox.options';
import { within } from './within';

/** What one turn writes: it holds up everybody else at the server. */
const PAGE = 500;
/** After Redis did not answer, so long only the inbox behind is asked. */
const REST_MS = 1_000;

/**
 * A first look before a database's inbox: a copy of what was handled is told by Redis, and costs the database nothing. What the inbox behind has
 * committed is written here later, in one go on a schedule, so that no handler waits for Redis.
 *
 * It only ever says what the inbox behind has said before, so that nothing depends on it: when Redis is away, slow, flushed or has forgotten, the inbox
 * behind decides. One thing to know: **a database that is restored to an earlier day** has forgotten what Redis still knows; delete the keys `<prefix>:seen:*`
 * with it, or what is to be handled again is taken for a copy for as long as `keepMs`.
 */
export class RedisInboxFilter implements InboxFilter {
  readonly #settings: RedisInboxFilterSettings;
  readonly #unwritten = new Map<string, string>();
  readonly #writing: PeriodicTask;
  #restsUntil = 0;

  /** @throws OptionsError */
  constructor(options: RedisInboxFilterOptions) {
    this.#settings = redisInboxFilterSettings(options);
    const { clock, logger, writeEveryMs } = this.#settings;
    this.#writing = new PeriodicTask({ name: 'redis inbox filter', everyMs: writeEveryMs, clock, logger, runOnce: () => this.#write() }); // prettier-ignore
  }

  start(): void {
    this.#writing.start();
  }

  /** Writes what waits, once. */
  async stop(): Promise<void> {
    await this.#writing.stop();
    while (this.#unwritten.size > 0) {
      const before = this.#unwritten.size;
      await this.#write();
      if (this.#unwritten.size >= before) return; // Redis is away, and nothing depends on it
    }
  }

  async known(entry: InboxEntry): Promise<'handled' | 'conflict' | undefined> {
    const { answerMs, client, clock, logger, prefix } = this.#settings;
    if (clock.monotonic() < this.#restsUntil) return undefined;
    const key = entryKey(prefix, 'seen', entry);
    try {
      const found = this.#unwritten.get(key) ?? (await within(clock, answerMs, client.get(key)));
      if (found === null) return undefined;
      return found === fingerprintOf(entry) ? 'handled' : 'conflict';
    } catch (thrown) {
      this.#restsUntil = clock.monotonic() + REST_MS;
      logger.warn({ err: asError(thrown) }, 'the inbox filter rests: Redis does not answer, the inbox behind is asked');
      return undefined;
    }
  }

  remember(entry: InboxEntry): void {
    const { maxUnwritten, prefix } = this.#settings;
    if (this.#unwritten.size < maxUnwritten) this.#unwritten.set(entryKey(prefix, 'seen', entry), fingerprintOf(entry));
  }

  async #write(): Promise<{ readonly again?: boolean } | void> {
    const { client, clock, keepMs, logger } = this.#settings;
    const page = [...this.#unwritten].slice(0, PAGE);
    if (page.length === 0) return;
    try {
      const written = Promise.all(page.map(([key, fingerprint]) => client.set(key, fingerprint, 'PX', keepMs)));
      await within(clock, REST_MS, written);
    } catch (thrown) {
      logger.debug({ err: asError(thrown) }, 'the inbox filter was not written; it is tried again');
      return;
    }
    for (const [key] of page) this.#unwritten.delete(key);
    return { again: this.#unwritten.size > 0 };
  }
}

const fingerprintOf = ({ fingerprint }: InboxEntry): string => fingerprint.toString('base64url');

/**
 * A first look before the inboxes of `messaging.stores`, by Redis: `messaging.inboxFilter`.
 *
 * @throws OptionsError that names the bad option, as `redisInboxFilter.client`.
 */
export const redisInboxFilter = (options: RedisInboxFilterOptions): RedisInboxFilter => new RedisInboxFilter(options);

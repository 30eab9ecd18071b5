import { randomUUID } from 'node:crypto';
import { asError, dateOf, type Settlement, TidingsError } from '@tidings/core';
import {
  type InboxEntry,
  type InboxOutcome,
  type InboxRefusal,
  type InboxStore,
  InboxUnavailableError,
} from '@tidings/inbox';
import { entryKey, horizonKey } from './inbox-keys';
import { claimEntry } from './lua/claim-entry';
import { fileEntry } from './lua/file-entry';
import { keepClaim } from './lua/keep-claim';
import { type RedisInboxOptions, redisInboxSettings, type RedisInboxSettings } from './redis-inbox.options';
import { within } from './within';

const DAY_MS = 86_400_000;
/** As PostgreSQL's int, which holds it there. */
const HIGHEST_GENERATION = 2 ** 31 - 1;
/** A copy that waits asks so often. */
const ASK_AGAIN_MS = 25;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

type Claim = { readonly kind: 'fresh' | 'busy' | 'done' | 'sealed' } | InboxRefusal;

/**
 * An inbox for handlers without a database, in two phases: claimed while the handler runs, done when it has accepted. A claim is renewed while its process
 * lives and free `claimMs` after it died; a handler that fails gives it up.
 *
 * **What it cannot promise.** Effect and mark are two writes: a process that dies, or loses Redis, between the handler's effect and the mark has the
 * message handled again, and so has a process that was suspended for longer than `claimMs`, while another handles it. What Redis loses (a restart without
 * append-only file, a failover that had not replicated, an eviction) is no longer known. So handlers must bear a rare second call; where that is not good
 * enough, keep the effect in a database and use its inbox. Never sets a transaction.
 */
export class RedisInbox implements InboxStore {
  readonly #settings: RedisInboxSettings;

  /** @throws OptionsError. `aheadMs` is for tests: by how much Redis's clock is taken to be ahead. */
  constructor(
    options: RedisInboxOptions,
    private readonly aheadMs: () => number = () => 0,
  ) {
    this.#settings = redisInboxSettings(options);
  }

  async once(entry: InboxEntry, work: (transaction: undefined) => Promise<Settlement>): Promise<InboxOutcome> {
    const token = randomUUID();
    const claim = await this.#claimInTime(entry, token);
    if (claim.kind === 'done' || claim.kind === 'sealed') return { kind: 'duplicate' };
    if (claim.kind !== 'fresh') return claim as InboxRefusal;
    const stored = `c:${fingerprintOf(entry)}:${token}`;
    const ended = new AbortController();
    const renewing = this.#renew(entry, stored, ended.signal);
    try {
      const settlement = await work(undefined);
      if (settlement.kind === 'accept') await this.#done(entry, token);
      else await this.#giveUp(entry, stored);
      return { kind: 'handled', settlement };
    } catch (thrown) {
      await this.#giveUp(entry, stored);
      throw thrown;
    } finally {
      ended.abort();
      await renewing;
    }
  }

  async seal(entry: InboxEntry): Promise<'sealed' | 'handled'> {
    const found = await this.#claim(entry, 's');
    if (found.kind === 'done') return 'handled';
    if (found.kind === 'fresh' || found.kind === 'busy') {
      if ((await this.#ask(entry, this.#file(entry, 's', ''))) !== 2 || found.kind === 'fresh') return 'sealed';
      const cause = new TidingsError('TIDINGS_INBOX_BUSY', 'a copy that is being handled just now');
      throw new InboxUnavailableError(entry.subscription, { cause });
    }
    return 'sealed'; // by now, or the inbox refuses such an entry anyway
  }

  /** Has this very message taken effect, as far as Redis knows? */
  async handled(entry: InboxEntry): Promise<boolean> {
    const { client, prefix } = this.#settings;
    return (await this.#ask(entry, client.get(entryKey(prefix, 'inbox', entry)))) === `d:${fingerprintOf(entry)}`;
  }

  async #claimInTime(entry: InboxEntry, token: string): Promise<Claim> {
    const { clock, waitMs } = this.#settings;
    const until = clock.monotonic() + waitMs;
    for (;;) {
      const claim = await this.#claim(entry, token);
      if (claim.kind !== 'busy' || clock.monotonic() >= until) return claim;
      await clock.wait(ASK_AGAIN_MS);
    }
  }

  async #claim(entry: InboxEntry, token: string): Promise<Claim> {
    const { bucket, generation, subscription } = entry;
    const { aheadDays, claimMs, client, prefix, retentionDays } = this.#settings;
    if (generation > HIGHEST_GENERATION)
      return { kind: 'unfit', problem: `generation: expected ${HIGHEST_GENERATION} at most, found ${generation}` };
    const day = dayOf(bucket);
    if (day === undefined)
      return { kind: 'unfit', problem: `bucket: expected a date YYYY-MM-DD, found ${JSON.stringify(bucket)}` };
    const keys = [entryKey(prefix, 'inbox', entry), horizonKey(prefix, subscription)];
    const words = [token, fingerprintOf(entry), claimMs, day, retentionDays, aheadDays, this.aheadMs()];
    const [kind, limit] = (await this.#ask(entry, claimEntry(client, ...keys, ...words))) as [string, number];
    if (kind === 'outside') return { kind, horizon: dateOf(limit * DAY_MS) };
    if (kind === 'ahead') return { kind: 'unfit', problem: `bucket: expected ${dateOf(limit * DAY_MS)} at the latest (aheadDays), found ${bucket}` }; // prettier-ignore
    return { kind } as Claim;
  }

  /** Insists as long as the claim would last: what is not marked is handled again. */
  async #done(entry: InboxEntry, token: string): Promise<void> {
    const { claimMs, clock, logger } = this.#settings;
    const until = clock.monotonic() + claimMs;
    for (;;) {
      try {
        const filed = await this.#ask(entry, this.#file(entry, 'd', token));
        if (filed === 2) logger.error({ subscription: entry.subscription }, 'a message was handled for longer than its claim held: another process may have handled it too'); // prettier-ignore
        return;
      } catch (thrown) {
        if (clock.monotonic() >= until) throw thrown;
        await clock.wait(ASK_AGAIN_MS);
      }
    }
  }

  #file(entry: InboxEntry, kind: 'd' | 's', token: string): Promise<unknown> {
    const { client, prefix, retentionDays } = this.#settings;
    const day = dayOf(entry.bucket)!;
    // Till its bucket is outside the horizon by any clock, and a day more.
    const [keepMs, endMs] = [(retentionDays + 1) * DAY_MS, day < 0 ? 0 : (day + 1) * DAY_MS];
    return fileEntry(client, entryKey(prefix, 'inbox', entry), kind, fingerprintOf(entry), token, keepMs, endMs);
  }

  /** When Redis is away, the claim ends by itself. */
  async #giveUp(entry: InboxEntry, stored: string): Promise<void> {
    const { client, logger, prefix } = this.#settings;
    try {
      await this.#ask(entry, keepClaim(client, entryKey(prefix, 'inbox', entry), stored, 0));
    } catch (thrown) {
      logger.warn({ subscription: entry.subscription, err: asError(thrown) }, 'a claim was not given up; it ends by itself'); // prettier-ignore
    }
  }

  async #renew(entry: InboxEntry, stored: string, ended: AbortSignal): Promise<void> {
    const { claimMs, client, clock, logger, prefix } = this.#settings;
    for (;;) {
      await clock.wait(claimMs / 3, ended);
      if (ended.aborted) return;
      try {
        const held = await this.#ask(entry, keepClaim(client, entryKey(prefix, 'inbox', entry), stored, claimMs));
        if (held !== 1 && !ended.aborted) logger.warn({ subscription: entry.subscription }, 'a claim is lost while its handler runs'); // prettier-ignore
      } catch (thrown) {
        logger.warn({ subscription: entry.subscription, err: asError(thrown) }, 'a claim was not renewed');
      }
    }
  }

  async #ask<Answer>({ subscription }: InboxEntry, answer: Promise<Answer>): Promise<Answer> {
    try {
      return await within(this.#settings.clock, this.#settings.answerMs, answer);
    } catch (thrown) {
      throw new InboxUnavailableError(subscription, { cause: asError(thrown) });
    }
  }
}

/** Days since 1970; -1 for a foreign message, which has no bucket; undefined for what is no day of the calendar. */
function dayOf(bucket: string | null): number | undefined {
  if (bucket === null) return -1;
  const ms = DAY.test(bucket) ? Date.parse(`${bucket}T00:00:00Z`) : NaN;
  return Number.isNaN(ms) || dateOf(ms) !== bucket ? undefined : ms / DAY_MS;
}

const fingerprintOf = ({ fingerprint }: InboxEntry): string => fingerprint.toString('base64url');

/**
 * An inbox in Redis for handlers without a database: `messaging.storelessInbox`. See RedisInbox for what it cannot promise.
 *
 * @throws OptionsError that names the bad option, as `redisInbox.client`.
 */
export const redisInbox = (options: RedisInboxOptions): RedisInbox => new RedisInbox(options);

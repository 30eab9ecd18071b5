import { asError, backoffMs, type Subscription } from '@tidings/core';
import { BlockingCall } from './blocking-call';
import { type LeaseHolding, newHolding } from './lease-holding';
import { adoptEntries } from './lua/adopt-entries';
import { declareGroup, type GroupShape } from './lua/declare-group';
import { type Entry, entryOf, type RawEntry } from './lua/entry';
import { findUnread } from './lua/find-unread';
import { reclaimEntries } from './lua/reclaim-entries';
import { type Source, takeEntries } from './lua/take-entries';
import { RedisGroupShapeError } from './redis.errors';
import { isGroupGone, isHopeless } from './server-answers';
import type { RedisSettings } from './redis.options';
import { RedisConnection } from './redis-connection';
import { RedisMembership } from './redis-membership';
import type { RedisNames } from './redis-names';
import { Wake } from './wake';

export interface StreamReaderSetup {
  readonly subscription: Subscription;
  readonly connection: RedisConnection;
  readonly names: RedisNames;
  readonly settings: RedisSettings;
  readonly reader: { readonly group: string; readonly consumer: string; readonly token: string };
  /** How many entries may be taken now. */
  readonly room: () => number;
  readonly feed: (entry: Entry, holding: LeaseHolding) => void;
  /** What was taken and is not settled. */
  readonly known: () => readonly { readonly suffix: string; readonly id: string }[];
}

/** A read that waits ends by itself after so long: as long goes unseen that it should read other streams, where nobody can wake it. */
const BLOCK_MS = 1_000;

/**
 * Takes entries of a group as long as there is room: declares the group, and again when it was deleted; after a lost connection fetches what Redis
 * gave and the reply was lost of; of an ordered group adopts each stream's unsettled entries before it takes new ones.
 *
 * A shared group waits by XREADGROUP: each entry wakes one consumer. An ordered one waits by XREAD, which takes nothing, and takes by a script that
 * asks for the lease: a process that slept past its lease would be given an entry in its sleep, and handle it after its followers.
 */
export class StreamReader {
  readonly membership: RedisMembership;
  readonly #own: RedisConnection;
  readonly #blocking: BlockingCall;
  readonly #base: string;
  readonly #shape: GroupShape;
  readonly #stopping = new AbortController();
  readonly #room = new Wake();
  readonly #shared = newHolding(0, false);
  #streams = 0;
  #declared = false;
  #everDeclared = false;
  #unread = false;
  #healthy = false;
  #turn = 0;
  #running: Promise<void> | undefined;

  constructor(private readonly setup: StreamReaderSetup) {
    const { connection, names, reader, settings, subscription } = setup;
    this.#base = names.base(subscription.topic);
    this.#shape = subscription.broadcast ? 'broadcast' : subscription.ordered ? 'ordered' : 'shared';
    this.#own = new RedisConnection(`read ${subscription.topic} for ${subscription.group}`, settings);
    this.#blocking = new BlockingCall(this.#own, connection, settings.cluster);
    this.membership = new RedisMembership({
      ...{ connection, base: this.#base, reader, ordered: this.#shape === 'ordered' },
      ...{ leaseMs: settings.leaseMs, clock: settings.clock, logger: settings.logger },
      streams: () => this.#streams,
      changed: () => this.wake(),
    });
  }

  get healthy(): boolean {
    return this.#healthy && this.#own.up && this.membership.accepted && !this.#stopping.signal.aborted;
  }

  /** The suffixes of all streams that the group reads. */
  get suffixes(): string[] {
    return Array.from({ length: this.#streams }, (_, number) => this.#suffixesOf(number)).flat();
  }

  /** Resolves when the group is declared. Tries again while the server is away; rejects for what no retry mends. */
  async start(): Promise<void> {
    const { clock, settings } = { clock: this.setup.settings.clock, settings: this.setup.settings };
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      try {
        await this.#own.open();
        await this.#declare();
        await this.membership.start();
        break;
      } catch (thrown) {
        if (isHopeless(thrown) || thrown instanceof RedisGroupShapeError) {
          this.#own.close();
          throw thrown;
        }
        this.#log(asError(thrown), 'a subscription waits for Redis');
        await clock.wait(backoffMs(++failures, settings.reconnectMaxMs), this.#stopping.signal);
      }
    }
    this.#running = this.#run();
  }

  /** Takes nothing more; resolves when nothing is being taken. Leases and connection stay. */
  async stopTaking(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#running;
  }

  close(): void {
    this.#own.close();
  }

  /** There is room again, or something else to read. */
  wake(): void {
    this.#room.wake();
    this.#blocking.end();
  }

  /** A place is free; a read that waits has room already. */
  freed(): void {
    this.#room.wake();
  }

  async #run(): Promise<void> {
    const { clock, reconnectMaxMs } = this.setup.settings;
    const { signal } = this.#stopping;
    await this.#reclaimOwn();
    for (let failures = 0; !signal.aborted;) {
      try {
        if (!(await this.#own.ready(signal))) break;
        if (!this.#declared) await this.#declare();
        if (this.#unread) await this.#fetchUnread();
        await this.#adopt();
        await this.#takeOrWait();
        this.#healthy = true;
        failures = 0;
      } catch (thrown) {
        this.#healthy = false;
        if (isGroupGone(thrown)) this.#declared = false;
        this.#unread = true;
        if (signal.aborted) break;
        this.#log(asError(thrown), 'reading from Redis failed; it is tried again');
        await clock.wait(backoffMs(++failures, reconnectMaxMs), signal);
      }
    }
    this.#healthy = false;
  }

  async #declare(): Promise<void> {
    const { connection, names, reader, settings, subscription } = this.setup;
    const { topic, group, from } = subscription;
    const start = this.#shape === 'broadcast' ? '$' : (settings.groups[group]?.startAt ?? (from === 'earliest' ? '0' : '$')); // prettier-ignore
    const streams = settings.topics[topic]?.streams ?? settings.streams;
    const options = { start, streams, again: this.#everDeclared };
    await connection.call('SADD', [names.topics, topic]);
    const found = await declareGroup(connection, this.#base, reader.group, this.#shape, options);
    if (found.shape !== this.#shape) throw new RedisGroupShapeError(topic, group, this.#shape, found.shape);
    if (this.#everDeclared)
      settings.logger.warn({ topic, group }, 'the group was gone at Redis and is declared again, from the oldest entry on'); // prettier-ignore
    this.#streams = found.streams;
    this.#declared = true;
    this.#everDeclared = true;
  }

  /** With a name of its own, what it had when it died is under this very name: no living consumer's, and so nobody reclaims it. */
  async #reclaimOwn(): Promise<void> {
    const { connection, reader, settings } = this.setup;
    if (settings.consumer === undefined || this.#shape !== 'shared') return;
    const limits = { idleMs: 0, poisonAfter: settings.poisonAfter };
    for (const suffix of this.suffixes) {
      const from = { group: reader.group, consumer: reader.consumer, suffix, mine: true };
      try {
        for (let page = 100; page >= 100 && this.membership.accepted;)
          ({ page } = await reclaimEntries(connection, this.#base, from, limits));
      } catch (thrown) {
        this.#unread = true; // then they are fetched as what was never read
        return this.#log(asError(thrown), 'what this consumer had when it died was not reclaimed');
      }
    }
  }

  async #fetchUnread(): Promise<void> {
    const { known, feed, reader } = this.setup;
    const settled = [...this.#holdings()].filter(({ adopt }) => !adopt);
    const byNumber = new Map(settled.map((holding) => [holding.number, holding]));
    const suffixes = this.#shape === 'ordered' ? settled.flatMap(({ number }) => this.#suffixesOf(number)) : this.suffixes; // prettier-ignore
    const { entries, gone } = await findUnread(this.#own, this.#base, reader, suffixes, known());
    this.#tellGone(gone);
    for (const entry of entries) {
      const holding = this.#shape === 'ordered' ? byNumber.get(Number(/\d+$/.exec(entry.suffix))) : this.#shared;
      if (holding?.alive) feed(entry, holding);
    }
    this.#unread = false;
  }

  async #adopt(): Promise<void> {
    const { feed, reader, settings } = this.setup;
    for (const holding of [...this.#holdings()].filter(({ adopt }) => adopt)) {
      holding.taking = true;
      try {
        for (const suffix of this.#suffixesOf(holding.number)) {
          const { number } = holding;
          const { entries, gone, buried } = await adoptEntries(this.#own, this.#base, reader, number, suffix, settings.poisonAfter); // prettier-ignore
          this.#tellGone(gone);
          if (buried > 0) this.#log(undefined, `${buried} message(s) that processes died with are dead letters now`);
          if (holding.alive) for (const entry of entries) feed(entry, holding);
        }
        holding.adopt = false;
      } finally {
        holding.taking = false;
      }
    }
  }

  async #takeOrWait(): Promise<void> {
    const { feed, reader, room, settings, subscription } = this.setup;
    const holdings = [...this.#holdings()].filter(({ leaving, alive }) => alive && !leaving);
    const free = room();
    if (free <= 0 || holdings.length === 0 || !this.membership.accepted)
      return this.#room.wait(settings.clock, BLOCK_MS, this.#stopping.signal);
    const numbers = this.#shape === 'ordered' ? holdings.map(({ number }) => number) : [...Array(this.#streams).keys()];
    const sources = this.#rotated(numbers.flatMap((number) => this.#suffixesOf(number).map((suffix) => ({ suffix, number })))); // prettier-ignore
    const noAck = settings.groups[subscription.group]?.atMostOnce === true;
    for (const holding of holdings) holding.taking = true;
    try {
      const token = this.#shape === 'ordered' ? reader.token : '';
      const { entries, last } = await takeEntries(this.#own, this.#base, { ...reader, noAck, token }, free, sources);
      const byNumber = new Map(holdings.map((holding) => [holding.number, holding]));
      const holdingOf = (suffix: string) => this.#shape === 'ordered' ? byNumber.get(Number(/\d+$/.exec(suffix))) : this.#shared; // prettier-ignore
      for (const entry of entries) feed(entry, holdingOf(entry.suffix)!);
      if (entries.length > 0 || this.#stopping.signal.aborted) return;
      if (this.#shape === 'ordered') return await this.#waitForNews(sources, last, holdings);
    } finally {
      for (const holding of holdings) holding.taking = false;
    }
    await this.#takeNext(sources, noAck);
  }

  async #waitForNews(
    sources: readonly Source[],
    last: readonly string[],
    holdings: readonly LeaseHolding[],
  ): Promise<void> {
    // prettier-ignore
    for (const holding of holdings) holding.taking = false;
    const streams = sources.map(({ suffix }) => `${this.#base}:${suffix}`);
    await this.#blocking.run(
      'XREAD',
      ['COUNT', 1, 'BLOCK', BLOCK_MS, 'STREAMS', ...streams, ...last],
      this.#stopping.signal,
    );
  }

  async #takeNext(sources: readonly Source[], noAck: boolean): Promise<void> {
    const { reader, feed } = this.setup;
    const streams = sources.map(({ suffix }) => `${this.#base}:${suffix}`);
    const words = ['GROUP', reader.group, reader.consumer, 'COUNT', 1, 'BLOCK', BLOCK_MS, ...(noAck ? ['NOACK'] : [])];
    const reply = await this.#blocking.run(
      'XREADGROUP',
      [...words, 'STREAMS', ...streams, ...streams.map(() => '>')],
      this.#stopping.signal,
    );
    for (const [stream, entries] of (reply ?? []) as [Buffer, RawEntry[]][])
      for (const entry of entries) feed(entryOf(stream.toString().slice(this.#base.length + 1), entry), this.#shared);
  }

  #holdings(): Iterable<LeaseHolding> {
    return this.#shape === 'ordered' ? this.membership.holdings.values() : [this.#shared];
  }

  #suffixesOf(number: number): string[] {
    const own = `g:${this.setup.reader.group}:${number}`;
    if (this.#shape === 'broadcast' || (this.#shape === 'shared' && number > 0)) return [String(number)];
    return [String(number), own];
  }

  /** No stream is always asked first: a full one would starve the others. */
  #rotated(sources: readonly Source[]): Source[] {
    const at = this.#turn++ % Math.max(1, sources.length);
    return [...sources.slice(at), ...sources.slice(0, at)];
  }

  #tellGone(gone: number): void {
    if (gone > 0) this.#log(undefined, `${gone} entries were trimmed or deleted before they were settled: they are lost`); // prettier-ignore
  }

  #log(error: Error | undefined, what: string): void {
    const { group, topic } = this.setup.subscription;
    this.setup.settings.logger.warn({ group, topic, ...(error && { err: error }) }, what);
  }
}

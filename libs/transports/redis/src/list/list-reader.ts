import { asError, backoffMs, type Subscription } from '@tidings/core';
import { BlockingCall } from '../blocking-call';
import { takeElements } from '../lua/take-elements';
import { RedisConnection } from '../redis-connection';
import type { ConsumingSettings } from '../redis-consuming.options';
import { RedisMembership } from '../redis-membership';
import type { RedisNames } from '../redis-names';
import { isHopeless } from '../server-answers';
import { Wake } from '../wake';
import { reclaimElements } from './reclaim-elements';

export interface ListReaderSetup {
  readonly subscription: Subscription;
  readonly connection: RedisConnection;
  readonly names: RedisNames;
  readonly settings: ConsumingSettings;
  readonly reader: { readonly group: string; readonly consumer: string; readonly token: string };
  /** How many elements may be taken now. */
  readonly room: () => number;
  readonly feed: (element: Buffer) => void;
  /** What was taken and is not settled. */
  readonly known: () => readonly Buffer[];
}

/** A move that waits ends by itself after so long: as long goes unseen that the group was removed. */
const BLOCK_SECONDS = 1;

/**
 * Moves elements from a group's list to the consumer's own as long as there is room: several by a script, and the next by BLMOVE when there is none. What
 * was moved and the reply was lost of shows in the length of the consumer's list, and is fetched from there.
 */
export class ListReader {
  readonly membership: RedisMembership;
  readonly #own: RedisConnection;
  readonly #blocking: BlockingCall;
  readonly #base: string;
  readonly #stopping = new AbortController();
  readonly #room = new Wake();
  #healthy = false;
  #running: Promise<void> | undefined;

  constructor(private readonly setup: ListReaderSetup) {
    const { connection, names, reader, settings, subscription } = setup;
    this.#base = names.base(subscription.topic);
    this.#own = new RedisConnection(`read ${subscription.topic} for ${subscription.group}`, settings);
    this.#blocking = new BlockingCall(this.#own, connection, settings.cluster);
    this.membership = new RedisMembership({
      ...{ connection, base: this.#base, reader, ordered: false, streams: () => 0, changed: () => undefined },
      ...{ leaseMs: settings.leaseMs, clock: settings.clock, logger: settings.logger },
    });
  }

  get healthy(): boolean {
    return this.#healthy && this.#own.up && this.membership.accepted && !this.#stopping.signal.aborted;
  }

  /** Resolves when the group is declared. Tries again while the server is away; rejects for what no retry mends. */
  async start(): Promise<void> {
    const { clock, reconnectMaxMs } = this.setup.settings;
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      try {
        await this.#own.open();
        await this.#declare();
        await this.membership.start();
        break;
      } catch (thrown) {
        if (isHopeless(thrown)) {
          this.#own.close();
          throw thrown;
        }
        this.#log(asError(thrown), 'a subscription waits for Redis');
        await clock.wait(backoffMs(++failures, reconnectMaxMs), this.#stopping.signal);
      }
    }
    this.#healthy = true;
    this.#running = this.#run();
  }

  /** Takes nothing more; resolves when nothing is being taken. */
  async stopTaking(): Promise<void> {
    this.#stopping.abort();
    this.#room.wake();
    this.#blocking.end();
    await this.#running;
  }

  close(): void {
    this.#own.close();
  }

  /** A place is free. */
  freed(): void {
    this.#room.wake();
  }

  async #run(): Promise<void> {
    const { clock, reconnectMaxMs } = this.setup.settings;
    const { signal } = this.#stopping;
    let reclaimed = this.setup.settings.consumer === undefined;
    for (let failures = 0; !signal.aborted;) {
      try {
        if (!(await this.#own.ready(signal))) break;
        if (!reclaimed && this.membership.accepted) {
          await this.#reclaimOwn();
          reclaimed = true;
        }
        await this.#takeOrWait(reclaimed);
        this.#healthy = true;
        failures = 0;
      } catch (thrown) {
        this.#healthy = false;
        if (signal.aborted) break;
        this.#log(asError(thrown), 'reading from Redis failed; it is tried again');
        await clock.wait(backoffMs(++failures, reconnectMaxMs), signal);
      }
    }
    this.#healthy = false;
  }

  async #declare(): Promise<void> {
    const { connection, names, reader, subscription } = this.setup;
    await connection.call('SADD', [names.topics, subscription.topic]);
    await connection.call('HSET', [`${this.#base}:groups`, reader.group, 'list']);
  }

  /** With a name of its own, what it had when it died is under this very name. */
  async #reclaimOwn(): Promise<void> {
    const { reader, settings, subscription } = this.setup;
    const from = { base: this.#base, topic: subscription.topic, group: reader.group, consumer: reader.consumer, dead: false }; // prettier-ignore
    await reclaimElements(this.#own, from, settings);
  }

  async #takeOrWait(mayTake: boolean): Promise<void> {
    const { feed, known, reader, room, settings, subscription } = this.setup;
    const free = room();
    if (free <= 0 || !mayTake || !this.membership.accepted)
      return this.#room.wait(settings.clock, BLOCK_SECONDS * 1_000, this.#stopping.signal);
    const before = known();
    const { elements, held, declared } = await takeElements(this.#own, this.#base, reader, free);
    for (const element of elements) feed(element);
    if (declared) {
      this.#log(undefined, 'the group was gone at Redis and is declared again');
      await this.setup.connection.call('SADD', [this.setup.names.topics, subscription.topic]);
    }
    if (held === undefined) return this.#room.wait(settings.clock, BLOCK_SECONDS * 1_000, this.#stopping.signal); // the next beat makes it one
    if (held > before.length + elements.length) return this.#fetchLost();
    if (elements.length > 0 || this.#stopping.signal.aborted) return;
    const own = `${this.#base}:g:${reader.group}:`;
    const words = [`${own}queue`, `${own}taken:${reader.consumer}`, 'RIGHT', 'LEFT', BLOCK_SECONDS];
    const element = await this.#blocking.run('BLMOVE', words, this.#stopping.signal);
    if (element) feed(element as Buffer);
  }

  /** What is settled meanwhile was known when this was asked, and so is not taken for lost. */
  async #fetchLost(): Promise<void> {
    const { feed, known, reader } = this.setup;
    const ours = new Map<string, number>();
    for (const element of known()) {
      const text = element.toString('latin1');
      ours.set(text, (ours.get(text) ?? 0) + 1);
    }
    const taken = `${this.#base}:g:${reader.group}:taken:${reader.consumer}`;
    const held = (await this.#own.call('LRANGE', [taken, 0, -1])) as Buffer[];
    for (const element of held.reverse()) {
      const text = element.toString('latin1');
      const left = ours.get(text) ?? 0;
      if (left > 0) ours.set(text, left - 1);
      else feed(element);
    }
  }

  #log(error: Error | undefined, what: string): void {
    const { group, topic } = this.setup.subscription;
    this.setup.settings.logger.warn({ group, topic, ...(error && { err: error }) }, what);
  }
}

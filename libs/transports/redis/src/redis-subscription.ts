import {
  accept,
  againOf,
  asError,
  backoffMs,
  CLOSE_MS,
  type Delivery,
  DeliveryLanes,
  endedWithin,
  LanedSubscription,
  laneOf,
  type NewerWireError,
  park,
  type Receive,
  release,
  retry,
  type Settlement,
  type Subscription,
} from '@tidings/core';
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { LeaseHolding } from './lease-holding';
import { buryEntry } from './lua/bury-entry';
import type { Entry } from './lua/entry';
import { handBack } from './lua/hand-back';
import { keepCount } from './lua/keep-count';
import { leaveGroup } from './lua/leave-group';
import { removeGroup } from './lua/remove-group';
import { sendAgain } from './lua/send-again';
import type { RedisSettings } from './redis.options';
import type { RedisConnection } from './redis-connection';
import { type EntryMessage, type Fields, FIELDS, fromFields, withField } from './redis-mapping';
import type { RedisNames } from './redis-names';
import { StreamAcks } from './stream-acks';
import { StreamReader } from './stream-reader';

/** An entry that was taken and is not settled. */
interface Taken {
  readonly entry: Entry;
  readonly holding: LeaseHolding;
  delivery: Delivery | undefined;
  newer: NewerWireError | undefined;
}

/** A failing key holds its place, and its followers theirs. */
const HELD_ENTRIES = 64;
/** A handler that answers `release` while nobody stops: handed back at once, the message would spin. */
const UNASKED_RELEASE_MS = 1_000;
const MAX_REASON = 4_000;

/**
 * One subscription of this process: a consumer of the group at Redis, and behind it the lanes. What Redis gave stays in the group's pending list until
 * it is settled, whatever becomes of a connection: settling is tried until it succeeds, and nothing is delivered anew while this process lives.
 *
 * Order on stop: nothing more is taken; what runs ends and is settled; of a shared group all the rest goes back to the group as copies, of an ordered
 * one it stays pending, in its place, for whoever has the lease next. Only then the consumer goes, which owns nothing any more.
 */
export class RedisSubscription extends LanedSubscription {
  protected readonly lanes: DeliveryLanes;
  readonly #reader: StreamReader;
  readonly #acks: StreamAcks;
  readonly #base: string;
  /** The group at Redis; of a broadcast this process's own. */
  readonly #group: string;
  readonly #names: { readonly group: string; readonly consumer: string; readonly token: string };
  readonly #noAck: boolean;
  readonly #taken = new Map<string, Taken>();
  /** By message, not by delivery: the lanes make a new delivery of each attempt. */
  readonly #byMessage = new WeakMap<object, Taken>();
  readonly #settling = new Set<Promise<void>>();
  /** Settling is given up: the server does not answer. */
  readonly #abandoned = new AbortController();
  #held = 0;

  constructor(
    subscription: Subscription,
    private readonly receive: Receive,
    private readonly connection: RedisConnection,
    names: RedisNames,
    private readonly settings: RedisSettings,
  ) {
    super(subscription);
    const { topic, group, broadcast } = subscription;
    const token = randomUUID();
    setMaxListeners(0, this.#abandoned.signal); // each settlement that waits listens
    this.#base = names.base(topic);
    this.#group = broadcast ? names.instance(group, token) : names.group(group);
    this.#names = { group: this.#group, consumer: broadcast ? token : (settings.consumer ?? token), token };
    this.#noAck = settings.groups[group]?.atMostOnce === true;
    this.#acks = new StreamAcks(connection, this.#base, this.#group);
    this.lanes = new DeliveryLanes(subscription, (delivery, signal) => this.#handle(delivery, signal), settings.clock);
    this.#reader = new StreamReader({
      ...{ subscription, connection, names, settings, reader: this.#names },
      room: () => this.#capacity - this.#held,
      feed: (entry, holding) => this.#feed(entry, holding),
      known: () => [...this.#taken.values()].map(({ entry }) => entry),
    });
  }

  start(): Promise<void> {
    return this.#reader.start();
  }

  healthy(): boolean {
    return this.#reader.healthy;
  }

  override setConcurrency(concurrency: number): void {
    super.setConcurrency(concurrency);
    this.#reader.freed();
  }

  protected async end(drainMs: number): Promise<void> {
    const { clock } = this.settings;
    const drained = this.lanes.stop(drainMs); // at once: a read that waits may bring something yet, and it must not begin
    await endedWithin(clock, CLOSE_MS, this.#reader.stopTaking());
    await drained;
    await endedWithin(clock, CLOSE_MS, Promise.all(this.#settling));
    this.#abandoned.abort();
    await Promise.all(this.#settling);
    // Without an answer all stays as it is, pending, and reclaim finds it.
    await endedWithin(clock, CLOSE_MS, this.#leave());
    await this.#reader.membership.stop();
    this.#reader.close();
  }

  async #leave(): Promise<void> {
    const { suffixes } = this.#reader;
    try {
      if (this.subscription.broadcast) {
        await removeGroup(this.connection, this.#base, this.#group);
        return;
      }
      if (this.subscription.ordered) await this.#keepCounts();
      else while ((await handBack(this.connection, this.#base, this.#group, this.#names.consumer, suffixes)) > 0);
      // Whoever takes a lease over must find it free, and no beat may take it again.
      await this.#reader.membership.stop();
      await leaveGroup(this.connection, this.#base, this.#names, suffixes);
    } catch (thrown) {
      const { group, topic } = this.subscription;
      this.settings.logger.warn({ group, topic, err: asError(thrown) }, 'a consumer could not leave its group; reclaim will find what it held'); // prettier-ignore
    }
  }

  async #keepCounts(): Promise<void> {
    for (const { entry, holding, delivery } of this.#taken.values()) {
      if (!holding.alive || !delivery) continue;
      await this.#keepCount(entry, holding, delivery.attempt - 1 - this.#published(entry));
    }
  }

  /** Attempts that the entry itself tells of, beside those that Redis counts. */
  #published(entry: Entry): number {
    return fromFields(entry.fields, this.subscription.topic).attempts;
  }

  #keepCount(entry: Entry, { number }: LeaseHolding, made: number): Promise<void> {
    const place = { number, suffix: entry.suffix, id: entry.id };
    return keepCount(this.connection, this.#base, this.#names, place, Math.max(0, made));
  }

  get #capacity(): number {
    const { ordered, broadcast } = this.subscription;
    const { concurrency } = this.lanes;
    return ordered || broadcast ? Math.max(2 * concurrency, HELD_ENTRIES) : concurrency;
  }

  #feed(entry: Entry, holding: LeaseHolding): void {
    const taken: Taken = { entry, holding, delivery: undefined, newer: undefined };
    const name = `${entry.suffix} ${entry.id}`;
    this.#taken.set(name, taken);
    holding.unsettled += 1;
    this.#held += 1;
    const settling = this.#settled(taken, () => {
      this.#held -= 1;
      this.#reader.freed();
    }).then((kept) => {
      holding.unsettled -= 1;
      if (!kept && this.#taken.get(name) === taken) this.#taken.delete(name);
    });
    this.#settling.add(settling);
    void settling.then(() => this.#settling.delete(settling));
  }

  /** Never rejects. True when it stays pending here, for the stop to hand back. */
  async #settled(taken: Taken, freed: () => void): Promise<boolean> {
    const settlement = await this.#settlementOf(taken);
    const { entry, holding } = taken;
    freed();
    if (!holding.alive) return false;
    if (settlement.kind !== 'accept') {
      if (!this.#noAck) return true;
      await this.#insist(taken, () => this.#sendAgain(taken, 0, entry.fields)); // nothing pends: else it would be lost
      return false;
    }
    if (this.#noAck) return false;
    return !(await this.#insist(taken, () => this.#ack(entry)));
  }

  async #ack({ suffix, id, deaths }: Entry): Promise<void> {
    await this.#acks.ack(suffix, id);
    if (deaths > 0) await this.connection.call('HDEL', [`${this.#base}:g:${this.#group}:deaths`, `${suffix} ${id}`]);
  }

  async #settlementOf(taken: Taken): Promise<Settlement> {
    const { entry, holding } = taken;
    const { topic, broadcast, ordered } = this.subscription;
    let wire: EntryMessage;
    try {
      wire = fromFields(entry.fields, topic);
    } catch (thrown) {
      const letter = { reason: `unreadable: ${asError(thrown).message}`, attempts: 0 };
      return (await this.#insist(taken, () => this.#bury(taken, letter))) ? settledHere : release;
    }
    const { message, attempts, stamp, newer } = wire;
    const again = entry.suffix.startsWith('g:') || entry.before > 0 || (ordered && entry.deaths > 0);
    let delivery: Delivery = { message, attempt: attempts + entry.before + 1, redelivered: again, ...(stamp && { stamp }) }; // prettier-ignore
    taken.delivery = delivery;
    taken.newer = newer;
    this.#byMessage.set(message, taken);
    for (;;) {
      const settlement = await this.lanes.run(delivery);
      if (!broadcast || (settlement.kind !== 'retry' && settlement.kind !== 'park')) return settlement;
      // Only this process is to have it again, and nothing is kept for it: it waits here.
      const { afterMs, made } = againOf(settlement);
      await this.settings.clock.wait(afterMs, this.stopSignal);
      if (!holding.alive) return accept;
      delivery = { ...delivery, redelivered: true, attempt: delivery.attempt + made };
    }
  }

  /** Runs inside the delivery's lane, and so does all that a settlement needs but the acknowledgement: no follower begins before. */
  async #handle(delivery: Delivery, signal: AbortSignal): Promise<Settlement> {
    const { ordered, broadcast } = this.subscription;
    const taken = this.#byMessage.get(delivery.message);
    // Its lease is lost: whoever has it now handles it; `accept` frees the lane, and no acknowledgement is sent.
    if (!taken?.holding.alive) return accept;
    const { newer, entry } = taken;
    taken.delivery = delivery;
    if (newer) this.settings.logger.error({ group: this.subscription.group, err: newer }, newer.message);
    const answer = newer ? park(newer.message, newer) : await this.receive(delivery, signal);
    const unasked = answer.kind === 'release' && !this.stopSignal.aborted;
    const settlement = unasked ? retry(UNASKED_RELEASE_MS, { counted: false }) : answer;
    switch (settlement.kind) {
      case 'accept':
      case 'release':
        return settlement;
      case 'reject': {
        const letter = { reason: settlement.reason, attempts: delivery.attempt };
        return (await this.#insist(taken, () => this.#bury(taken, letter), signal)) ? settledHere : release;
      }
      case 'retry':
      case 'park': {
        const { afterMs, made } = againOf(settlement);
        if (broadcast) return settlement;
        if (ordered && delivery.message.key !== null) {
          taken.delivery = { ...delivery, attempt: delivery.attempt + made };
          const count = delivery.attempt + made - this.#published(entry);
          // True also if this process dies before the next attempt, which counts one more when it is adopted.
          if (made > 0) await this.#insist(taken, () => this.#keepCount(entry, taken.holding, count), signal);
          return settlement;
        }
        const fields = newer ? entry.fields : withField(entry.fields, 'attempts', String(delivery.attempt - 1 + made));
        const done = await this.#insist(taken, () => this.#sendAgain(taken, afterMs, fields), signal);
        return done ? settledHere : release;
      }
    }
  }

  async #sendAgain({ entry, delivery }: Taken, delayMs: number, fields: Fields): Promise<void> {
    const place = { group: this.#group, suffix: entry.suffix, id: entry.id, noAck: this.#noAck };
    const lane = delivery ? laneOf(delivery.message) : 0;
    await sendAgain(this.connection, this.#base, place, { lane, delayMs, fields });
  }

  async #bury({ entry }: Taken, { reason, attempts }: { readonly reason: string; readonly attempts: number }) {
    const place = { group: this.#group, suffix: entry.suffix, id: entry.id, noAck: this.#noAck };
    const why = [FIELDS.reason, reason.slice(0, MAX_REASON), FIELDS.attempts, String(attempts)];
    const letter = { group: this.#group.split('/')[0]!, fields: [...entry.fields, ...why] };
    await buryEntry(this.connection, this.#base, place, letter);
  }

  /** Tries until Redis has done it; false when that no longer matters, or nobody waits any longer: the entry stays pending. */
  async #insist({ holding, entry }: Taken, settle: () => Promise<void>, signal?: AbortSignal): Promise<boolean> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    for (let failures = 0; holding.alive && !signal?.aborted && !this.#abandoned.signal.aborted;) {
      try {
        await settle();
        return true;
      } catch (thrown) {
        logger.warn({ entry: entry.id, err: asError(thrown) }, 'a settlement waits: Redis did not take it');
        await clock.wait(backoffMs(++failures, reconnectMaxMs), this.#abandoned.signal);
      }
    }
    return false;
  }
}

/** The entry is settled at Redis already; acknowledging it once more is harmless. */
const settledHere = accept;

import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { accept, againOf, asError, backoffMs, CLOSE_MS, type Delivery, DeliveryLanes, endedWithin, LanedSubscription, park, type Receive, release, retry, type Settlement, type Subscription } from '@tidings/core'; // prettier-ignore
import { leaveQueue } from '../lua/leave-queue';
import { type Move, moveElement } from '../lua/move-element';
import type { RedisConnection } from '../redis-connection';
import type { ConsumingSettings } from '../redis-consuming.options';
import type { RedisNames } from '../redis-names';
import { comesAgain, type ElementMessage, fromElement, letterFields } from './list-element';
import { ListReader } from './list-reader';

/** An element that was taken and is not settled. */
interface Taken {
  readonly element: Buffer;
  /** A handler has had it here. */
  begun: boolean;
}

/** A handler that answers `release` while nobody stops: handed back at once, the message would spin. */
const UNASKED_RELEASE_MS = 1_000;
const MAX_REASON = 4_000;

/**
 * One subscription of this process: a consumer with a list of its own, and behind it the lanes. What was moved there stays until it is settled, whatever
 * becomes of a connection, and nothing is delivered anew while this process lives.
 *
 * Order on stop: nothing more is taken; what runs ends and is settled; all the rest goes back to the head of the group's list, in its order; only then the
 * consumer goes, which holds nothing any more.
 */
export class ListSubscription extends LanedSubscription {
  protected readonly lanes: DeliveryLanes;
  readonly #reader: ListReader;
  readonly #base: string;
  readonly #names: { readonly group: string; readonly consumer: string; readonly token: string };
  /** In the order of their taking. */
  readonly #taken = new Set<Taken>();
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
    private readonly settings: ConsumingSettings,
  ) {
    super(subscription);
    const { topic, group } = subscription;
    const token = randomUUID();
    setMaxListeners(0, this.#abandoned.signal); // each settlement that waits listens
    this.#base = names.base(topic);
    this.#names = { group: names.group(group), consumer: settings.consumer ?? token, token };
    this.lanes = new DeliveryLanes(subscription, (delivery, signal) => this.#handle(delivery, signal), settings.clock);
    this.#reader = new ListReader({
      ...{ subscription, connection, names, settings, reader: this.#names },
      room: () => this.lanes.concurrency - this.#held,
      feed: (element) => this.#feed(element),
      known: () => [...this.#taken].map(({ element }) => element),
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
    // Without an answer all stays where it is, and reclaim finds it.
    await endedWithin(clock, CLOSE_MS, this.#leave());
    await this.#reader.membership.stop();
    this.#reader.close();
  }

  async #leave(): Promise<void> {
    const holder = { ...this.#names, dead: false };
    try {
      // The next consumer is to know what was begun here.
      for (const taken of [...this.#taken].reverse()) {
        const element = taken.begun ? comesAgain(taken.element, { begun: true }) : taken.element;
        await moveElement(this.connection, this.#base, holder, taken.element, { to: 'head', element });
      }
      await this.#reader.membership.stop(); // no beat may make it a member again
      await leaveQueue(this.connection, this.#base, this.#names);
    } catch (thrown) {
      const { group, topic } = this.subscription;
      this.settings.logger.warn({ group, topic, err: asError(thrown) }, 'a consumer could not leave its group; reclaim will find what it held'); // prettier-ignore
    }
  }

  #feed(element: Buffer): void {
    const taken: Taken = { element, begun: false };
    this.#taken.add(taken);
    this.#held += 1;
    const settling = this.#settled(taken);
    this.#settling.add(settling);
    void settling.then(() => this.#settling.delete(settling));
  }

  /** Never rejects. */
  async #settled(taken: Taken): Promise<void> {
    const settlement = await this.#settlementOf(taken);
    this.#held -= 1;
    this.#reader.freed();
    if (settlement.kind !== 'accept') return; // stays for the stop to hand back
    if (!this.#taken.has(taken)) return; // moved: to remove it once more could hit an equal copy
    const list = `${this.#base}:g:${this.#names.group}:taken:${this.#names.consumer}`;
    await this.#insist(taken, () => this.connection.call('LREM', [list, -1, taken.element]));
  }

  async #settlementOf(taken: Taken): Promise<Settlement> {
    let wire: ElementMessage;
    try {
      wire = fromElement(taken.element, this.subscription.topic);
    } catch (thrown) {
      return this.#bury(taken, `unreadable: ${asError(thrown).message}`, 0);
    }
    const { message, attempts, stamp, begun, deaths, newer } = wire;
    const redelivered = attempts > 0 || begun || deaths > 0;
    this.#byMessage.set(message, taken);
    const delivery = { message, attempt: attempts + 1, redelivered, ...(stamp && { stamp }) };
    if (newer) this.settings.logger.error({ group: this.subscription.group, err: newer }, newer.message);
    const settlement = newer ? park(newer.message, newer) : await this.lanes.run(delivery);
    switch (settlement.kind) {
      case 'accept':
      case 'release':
        return settlement;
      case 'reject':
        return this.#bury(taken, settlement.reason, delivery.attempt);
      case 'retry':
      case 'park': {
        const { afterMs, made } = againOf(settlement);
        const element = newer ? taken.element : comesAgain(taken.element, { attempts: attempts + made, begun: true });
        return this.#move(taken, { to: 'end', element, delayMs: afterMs });
      }
    }
  }

  #handle(delivery: Delivery, signal: AbortSignal): Promise<Settlement> {
    const taken = this.#byMessage.get(delivery.message);
    if (taken) taken.begun = true;
    return this.receive(delivery, signal).then((settlement) =>
      settlement.kind === 'release' && !this.stopSignal.aborted ? retry(UNASKED_RELEASE_MS, { counted: false }) : settlement); // prettier-ignore
  }

  #bury(taken: Taken, reason: string, attempts: number): Promise<Settlement> {
    const fields = letterFields(taken.element, this.subscription.topic, reason.slice(0, MAX_REASON), attempts);
    return this.#move(taken, { to: 'dead', fields });
  }

  async #move(taken: Taken, move: Move): Promise<Settlement> {
    const holder = { ...this.#names, dead: false };
    const moved = await this.#insist(taken, () => moveElement(this.connection, this.#base, holder, taken.element, move)); // prettier-ignore
    return moved ? accept : release;
  }

  /** Tries until Redis has done it, then it is no longer ours; false when nobody waits any longer: it stays where it is. */
  async #insist(taken: Taken, settle: () => Promise<unknown>): Promise<boolean> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    for (let failures = 0; !this.#abandoned.signal.aborted;) {
      try {
        await settle();
        this.#taken.delete(taken);
        return true;
      } catch (thrown) {
        logger.warn({ group: this.subscription.group, err: asError(thrown) }, 'a settlement waits: Redis did not take it'); // prettier-ignore
        await clock.wait(backoffMs(++failures, reconnectMaxMs), this.#abandoned.signal);
      }
    }
    return false;
  }
}

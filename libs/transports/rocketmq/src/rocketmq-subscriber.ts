import { randomBytes } from 'node:crypto';
import { accept, againOf, asError, type Delivery, DeliveryLanes, LanedSubscription, type NewerWireError, park, type Receive, release, retry, type Settlement, type Subscription } from '@tidings/core'; // prettier-ignore
import type { BrokerAdmin } from './broker-admin';
import { type HeldMessage, MAX_INVISIBLE_MS } from './held-message';
import type { Reachability } from './reachability';
import { ReceiveLoop } from './receive-loop';
import { DeliveryLimitError } from './rocketmq.errors';
import type { RocketMqSettings } from './rocketmq.options';
import { fromRocket, OWN_PROPERTIES } from './rocketmq-mapping';
import type { RocketMqNames } from './rocketmq-names';
import type { SettlementFiler } from './settlement-filer';

/** A handler that answers `release` while nobody stops: handed back at once, the message would spin between broker and consumer. */
const UNASKED_RELEASE_MS = 1_000;

/** Receives at once of an ordered group where little comes. */
const ASIDE = 2;

/** What one receive loop shares with its subscription. */
interface Place {
  readonly topic: string;
  readonly serial: number;
}

/**
 * One subscription of this process: a receive loop for each of its topics, and behind them the lanes, so that a key stays serial here also when the broker
 * redelivers what a handler still works on.
 *
 * A receive that waits at the broker cannot be called off. So a stop does not wait for it: what it brings afterwards is handed back, by the copy that
 * `release` is for an unordered group, or to the head of its queue for an ordered one.
 */
export class RocketMqSubscription extends LanedSubscription {
  protected readonly lanes: DeliveryLanes;
  readonly #loops: readonly ReceiveLoop[];
  /** By message, not by delivery: the lanes make a new delivery of each attempt. */
  readonly #held = new WeakMap<object, HeldMessage>();
  /** In a newer wire version than ours: not handled here, and sent again only as they came. */
  readonly #unread = new WeakMap<object, NewerWireError>();
  readonly #settling = new Set<Promise<void>>();
  readonly #group: string;
  readonly #places: readonly Place[];
  readonly #ended: Promise<void>;
  #hasEnded!: () => void;

  /** @throws RocketMqNameError, DeliveryLimitError where options and subscription do not go together. */
  constructor(
    subscription: Subscription,
    private readonly receive: Receive,
    private readonly admin: BrokerAdmin,
    private readonly filer: SettlementFiler,
    reachability: Reachability,
    private readonly names: RocketMqNames,
    private readonly settings: RocketMqSettings,
  ) {
    super(subscription);
    this.#ended = new Promise((resolve) => (this.#hasEnded = resolve));
    const { topic, group, broadcast, ordered, attempts = 1 } = subscription;
    const { tags, deliveries } = this.#shape;
    if (deliveries < attempts) throw new DeliveryLimitError(topic, group, deliveries, attempts);
    this.#group = broadcast ? names.instance(topic, group, randomBytes(8).toString('hex')) : names.group(topic, group);
    this.lanes = new DeliveryLanes(subscription, (delivery, signal) => this.#handle(delivery, signal), settings.clock);
    this.#places = [
      // A head that waits for its next attempt keeps its queue and holds no place: so each queue has a receive of its own.
      { topic: names.topic(topic), serial: ordered ? settings.queues : 0 },
      { topic: names.delay(topic), serial: ordered ? ASIDE : 0 },
      ...(settings.halfMessages ? [{ topic: names.half(topic), serial: ordered ? ASIDE : 0 }] : []),
    ];
    const expression = tags ? [...tags, names.group(topic, group)].join(' || ') : '*';
    this.#loops = this.#places.map(
      ({ topic: place, serial }) =>
        new ReceiveLoop({ topic: place, group: this.#group, tags: expression }, settings, reachability, {
          serial,
          free: () => this.lanes.concurrency - this.lanes.inFlight,
          take: (held) => this.#take(held),
          declare: () => this.#declare(),
        }),
    );
  }

  async start(): Promise<void> {
    await this.#declare();
    await Promise.all(this.#loops.map((loop) => loop.start()));
  }

  healthy(): boolean {
    return !this.stopSignal.aborted && this.#loops.every((loop) => loop.healthy);
  }

  get stopping(): boolean {
    return this.stopSignal.aborted;
  }

  override setConcurrency(concurrency: number): void {
    super.setConcurrency(concurrency);
    for (const loop of this.#loops) loop.refresh();
  }

  /** When nothing that was received is in this process any more: after the stop, and the receives that waited then. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  protected async end(drainMs: number): Promise<void> {
    for (const loop of this.#loops) loop.stop();
    await this.lanes.stop(drainMs);
    await this.#settled();
    void this.#end().then(this.#hasEnded, this.#hasEnded);
  }

  async #end(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.ended()));
    await this.#settled();
    await Promise.all(this.#loops.map((loop) => loop.close()));
    // Not before: a receive that still waits would leave a trace of the group behind it.
    if (!this.subscription.broadcast || !this.settings.provision) return;
    await this.admin.deleteGroup(this.#group).catch((thrown: unknown) => {
      const fields = { group: this.#group, err: asError(thrown) };
      this.settings.logger.warn(fields, 'the group of a broadcast instance stays at the broker');
    });
  }

  async #settled(): Promise<void> {
    while (this.#settling.size > 0) await Promise.all(this.#settling);
  }

  get #shape(): { readonly tags?: readonly string[] | undefined; readonly deliveries: number } {
    return this.settings.groups[this.subscription.group] ?? { deliveries: 1_000 };
  }

  async #declare(): Promise<void> {
    if (!this.settings.provision) return;
    const { topic, ordered, broadcast, from } = this.subscription;
    const types = [
      [this.names.topic(topic), 'FIFO'],
      [this.names.delay(topic), 'DELAY'],
      ...(this.settings.halfMessages ? [[this.names.half(topic), 'TRANSACTION'] as const] : []),
    ] as const;
    for (const [place, type] of types) await this.admin.ensureTopic(place, type);
    await this.admin.ensureGroup(this.#group, { ordered, deliveries: this.#shape.deliveries });
    for (const [place] of types) await this.admin.begin(this.#group, place, broadcast ? 'now' : from);
  }

  #take(held: HeldMessage): Promise<void> {
    const settling = this.#settle(held).catch((thrown: unknown) => {
      this.settings.logger.error(
        { group: this.#group, err: asError(thrown) },
        'a delivery was not settled; it comes again',
      );
    });
    this.#settling.add(settling);
    void settling.then(() => this.#settling.delete(settling));
    return settling;
  }

  async #settle(held: HeldMessage): Promise<void> {
    const { ordered, broadcast } = this.subscription;
    const settlement = await this.#settlementOf(held);
    if (!held.alive) return;
    if (settlement.kind === 'retry') await held.giveBack(settlement.afterMs);
    else if (settlement.kind === 'accept' || (broadcast && this.stopSignal.aborted)) await held.ack();
    else await held.giveBack(ordered ? 0 : UNASKED_RELEASE_MS); // of an unordered group: its copy could not be sent
  }

  async #settlementOf(held: HeldMessage): Promise<Settlement> {
    const { view } = held;
    const to = view.properties.get(OWN_PROPERTIES.group);
    const { topic, group, broadcast, ordered } = this.subscription;
    const own = this.names.group(topic, group);
    if (to !== undefined && to !== own) return accept; // for another group
    let delivery: Delivery;
    try {
      const { message, attempts, stamp, newer } = fromRocket(view, topic);
      if (newer) this.#unread.set(message, newer);
      const deliveries = view.deliveryAttempt ?? 1;
      const redelivered = deliveries > 1 || attempts > 0 || to !== undefined;
      delivery = { message, attempt: attempts + deliveries, redelivered, ...(stamp && { stamp }) };
    } catch (thrown) {
      const needed = this.#while(held, this.stopSignal);
      return (await this.filer.buryUnreadable(this.subscription, view, asError(thrown), needed)) ? accept : release;
    }
    this.#held.set(delivery.message, held);
    for (;;) {
      const settlement = await this.lanes.run(delivery);
      if (settlement.kind === 'release' && !ordered && !broadcast) return this.#released(held, delivery);
      if (!broadcast || (settlement.kind !== 'retry' && settlement.kind !== 'park')) return settlement;
      // Only this process is to have it again, and nothing is kept for it: it waits here.
      const { afterMs, made } = againOf(settlement);
      await this.settings.clock.wait(afterMs, this.stopSignal);
      delivery = { ...delivery, redelivered: true, attempt: delivery.attempt + made };
    }
  }

  /** By a copy: the broker counts what it gives again, and gives it seconds later. */
  async #released(held: HeldMessage, delivery: Delivery): Promise<Settlement> {
    const again = { afterMs: 0, attempts: delivery.attempt - 1 };
    const sent = this.#unread.has(delivery.message)
      ? this.filer.sendUnreadAgain(this.subscription, delivery, held.view, () => held.alive)
      : this.filer.sendAgain(this.subscription, delivery, again, () => held.alive);
    return (await sent) ? accept : release;
  }

  /** Runs inside the delivery's lane, and so does all that a settlement needs but the ack: a follower of the key does not begin before its predecessor is filed. */
  async #handle(delivery: Delivery, signal: AbortSignal): Promise<Settlement> {
    const { ordered, broadcast } = this.subscription;
    const held = this.#held.get(delivery.message);
    // The broker gives it again, here or elsewhere, so it is not handled now; `accept` frees the lane, and no ack is sent.
    if (!held?.alive) return accept;
    const unread = this.#unread.get(delivery.message);
    if (unread) this.settings.logger.error({ group: this.subscription.group, err: unread }, unread.message);
    const answer = unread ? park(unread.message, unread) : await this.receive(delivery, signal);
    const unasked = answer.kind === 'release' && !this.stopSignal.aborted;
    const settlement = unasked ? retry(UNASKED_RELEASE_MS, { counted: false }) : answer;
    const needed = this.#while(held, signal);
    switch (settlement.kind) {
      case 'accept':
      case 'release':
        return settlement;
      case 'reject':
        return this.#filed(held, this.filer.bury(this.subscription, delivery, settlement.reason, needed));
      case 'retry':
      case 'park': {
        const inLane = ordered && delivery.message.key !== null;
        const { afterMs, made } = againOf(settlement);
        if (inLane || broadcast) return settlement;
        if (unread)
          return this.#filed(held, this.filer.sendUnreadAgain(this.subscription, delivery, held.view, needed));
        // One attempt more is what the broker counts by itself, in one step; in an ordered group it would hold up the whole queue.
        if (made === 1 && !ordered && afterMs <= MAX_INVISIBLE_MS) return settlement;
        const again = { afterMs, attempts: delivery.attempt - 1 + made };
        return this.#filed(held, this.filer.sendAgain(this.subscription, delivery, again, needed));
      }
    }
  }

  /** What was not filed goes back: by a release when this process stops, by itself when its time is over. */
  async #filed(held: HeldMessage, filing: Promise<boolean>): Promise<Settlement> {
    return (await filing) || !held.alive ? accept : release;
  }

  /** Filing goes on as long as the delivery is ours and somebody waits for it. */
  #while(held: HeldMessage, signal: AbortSignal): () => boolean {
    return () => held.alive && !signal.aborted;
  }
}

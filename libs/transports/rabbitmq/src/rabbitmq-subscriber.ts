import {
  accept,
  againOf,
  asError,
  CLOSE_MS,
  type Delivery,
  DeliveryLanes,
  endedWithin,
  LanedSubscription,
  type NewerWireError,
  park,
  type Receive,
  release,
  retry,
  type Settlement,
  type Subscription,
} from '@tidings/core';
import { randomUUID } from 'node:crypto';
import type { Channel, ConsumeMessage } from 'amqplib';
import { DeliveryAcks } from './delivery-acks';
import { GroupShapeError, RabbitMqNameError } from './rabbitmq.errors';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';
import { fromAmqp } from './rabbitmq-mapping';
import type { RabbitMqNames } from './rabbitmq-names';
import { codeOf, declareGroup, declareInstance, REPLY } from './rabbitmq-topology';
import type { SettlementFiler } from './settlement-filer';
import { checkSubscription } from './subscription-check';
import { SupervisedChannel } from './supervised-channel';

/** What was delivered on one channel: after its end the broker gives all of it, unless it was settled, to somebody again. */
interface Taking {
  readonly channel: Channel;
  readonly acks: DeliveryAcks;
  readonly queues: readonly string[];
  readonly tags: string[];
  /** Deliveries can be settled. */
  alive: boolean;
  /** The broker sends nothing more here, so that what is handed back goes elsewhere. */
  cancelled: boolean;
}

const HELD_PREFETCH = 64;
/** Of AMQP's 16 bits. */
const MOST_PREFETCH = 65_535;
/** A handler that answers `release` while nobody stops: handed back at once, the message would spin between broker and consumer. */
const UNASKED_RELEASE_MS = 1_000;

/**
 * One subscription of this process: one channel with a consumer for each of the group's queues, and behind it the lanes, which outlive channels,
 * so that a key stays serial here also when the broker redelivers what a handler still works on.
 *
 * Order on stop: the consumers of an ordered group are not cancelled but stay, silent, until all that runs is settled. Cancelling would let the
 * broker wake another process's consumer while this one still handles the key. Closing the channel then gives back all that is unsettled in one
 * step and in its order, before the next consumer is woken. An unordered group's consumer is cancelled first and hands back at once.
 */
export class RabbitMqSubscription extends LanedSubscription {
  readonly #channel: SupervisedChannel<Channel>;
  protected readonly lanes: DeliveryLanes;
  /** By message, not by delivery: the lanes make a new delivery of each attempt. */
  readonly #takings = new WeakMap<object, Taking>();
  /** In a newer wire version than ours: not handled here, and sent again only as they came. */
  readonly #unread = new WeakMap<object, { readonly raw: ConsumeMessage; readonly error: NewerWireError }>();
  readonly #settling = new Set<Promise<void>>();
  readonly #instance = randomUUID();
  readonly #exchange: string;
  #taking: Taking | undefined;
  #refetching: Promise<void> = Promise.resolve();

  /** @throws RabbitMqNameError, OptionsError or DeliveryLimitError where options and subscription do not go together. */
  constructor(
    subscription: Subscription,
    private readonly receive: Receive,
    connection: RabbitMqConnection,
    private readonly filer: SettlementFiler,
    private readonly names: RabbitMqNames,
    private readonly settings: RabbitMqSettings,
  ) {
    super(subscription);
    checkSubscription(subscription, settings);
    this.#exchange = names.group(subscription.topic, subscription.group);
    this.lanes = new DeliveryLanes(subscription, (delivery, signal) => this.#handle(delivery, signal), settings.clock);
    this.#channel = new SupervisedChannel<Channel>(connection, settings, {
      name: `${subscription.group} on ${subscription.topic}`,
      create: (model) => model.createChannel(),
      setUp: (channel) => this.#consume(channel),
      lost: () => {
        if (this.#taking) this.#taking.alive = false;
      },
      hopeless: (error) => {
        const code = codeOf(error);
        return (
          error instanceof GroupShapeError ||
          error instanceof RabbitMqNameError ||
          code === REPLY.accessRefused ||
          code === REPLY.preconditionFailed
        );
      },
    });
  }

  start(): Promise<void> {
    return this.#channel.start();
  }

  healthy(): boolean {
    return this.#channel.channel !== undefined;
  }

  /** The prefetch of an unordered or broadcast subscription follows. Of an ordered one it stays: consuming anew would wake another process's consumer. */
  override setConcurrency(concurrency: number): void {
    super.setConcurrency(concurrency);
    if (!this.subscription.ordered) this.#refetching = this.#refetching.then(() => this.#refetch());
  }

  protected async end(drainMs: number): Promise<void> {
    await this.#channel.stop(async () => {
      await endedWithin(this.settings.clock, CLOSE_MS, this.#refetching); // else it could consume again what is cancelled below
      if (!this.subscription.ordered) await this.#cancel();
      await this.lanes.stop(drainMs);
      await Promise.all(this.#settling);
      if (this.subscription.broadcast) await this.#deleteInstance();
    });
  }

  async #consume(channel: Channel): Promise<void> {
    const { subscription, names, settings } = this;
    const { broadcast } = subscription;
    const queues = broadcast
      ? await declareInstance(channel, names, subscription, this.#instance, settings)
      : await declareGroup(channel, names, subscription, settings);
    const taking: Taking = {
      channel,
      acks: new DeliveryAcks(channel),
      queues,
      tags: [],
      alive: true,
      cancelled: false,
    };
    this.#taking = taking;
    await this.#fetch(taking);
  }

  /** AMQP counts a prefetch for each consumer that begins after it was set ("Consumer Prefetch"). */
  async #fetch(taking: Taking): Promise<void> {
    const { channel, queues } = taking;
    const { ordered, broadcast, keyLimit } = this.subscription;
    const limited = keyLimit !== undefined && keyLimit.value !== Infinity; // what waits for its key must not hold all there is
    const held = ordered || broadcast || limited ? HELD_PREFETCH : 1;
    const { prefetch = this.settings.prefetch, channelPrefetch } = this.settings.groups[this.subscription.group] ?? {};
    await channel.prefetch(prefetch ?? Math.min(MOST_PREFETCH, Math.max(2 * this.lanes.concurrency, held)));
    if (channelPrefetch !== undefined) await channel.prefetch(channelPrefetch, true); // second: the other lifts it
    for (const queue of queues) {
      const { consumerTag } = await channel.consume(queue, (message) => {
        if (message) this.#take(message, taking);
        // The queue was deleted or its node went: begin anew, topology and all.
        else void this.#channel.close(channel);
      });
      taking.tags.push(consumerTag);
    }
  }

  /** New consumers before the old ones go: a broadcast's queue, which ends without consumers, must not. What the old ones took can still be settled. */
  async #refetch(): Promise<void> {
    const taking = this.#taking;
    if (!taking?.alive || this.stopSignal.aborted) return;
    const old = taking.tags.splice(0);
    try {
      await this.#fetch(taking);
      for (const tag of old) await taking.channel.cancel(tag);
    } catch (thrown) {
      // A channel that has ended is opened anew, with the new prefetch; one that lives and has half of its consumers must be.
      this.settings.logger.warn(
        { group: this.subscription.group, err: asError(thrown) },
        'the prefetch was not changed',
      );
      if (taking.alive) await this.#channel.close(taking.channel);
    }
  }

  /** Must not throw: amqplib would close the channel. */
  #take(message: ConsumeMessage, taking: Taking): void {
    taking.acks.take(message);
    const settling = this.#settled(message, taking).catch((thrown: unknown) => {
      // Settling throws only on a channel that has ended, and then the broker redelivers.
      this.settings.logger.debug(
        { group: this.subscription.group, err: asError(thrown) },
        'a delivery was not settled: its channel ended',
      );
    });
    this.#settling.add(settling);
    void settling.then(() => this.#settling.delete(settling));
  }

  async #settled(message: ConsumeMessage, taking: Taking): Promise<void> {
    const settlement = await this.#settlementOf(message, taking);
    if (!taking.alive) return;
    if (settlement.kind === 'accept') await taking.acks.ack(message);
    else if (taking.cancelled) taking.acks.giveBack(message);
    // Else it stays unsettled until the channel closes, which is about to happen.
  }

  async #settlementOf(message: ConsumeMessage, taking: Taking): Promise<Settlement> {
    const { topic, broadcast } = this.subscription;
    let delivery: Delivery;
    try {
      const { message: mapped, attempts, stamp, newer } = fromAmqp(message, topic);
      if (newer) this.#unread.set(mapped, { raw: message, error: newer });
      // Whatever came in by the group's own exchange is a retry or a redrive.
      const redelivered = message.fields.redelivered || message.fields.exchange === this.#exchange;
      delivery = { message: mapped, attempt: attempts + 1, redelivered, ...(stamp && { stamp }) };
    } catch (thrown) {
      const filed = await this.filer.buryUnreadable(
        this.subscription,
        message,
        asError(thrown),
        this.#while(taking, this.stopSignal),
      );
      return filed ? accept : release;
    }
    this.#takings.set(delivery.message, taking);
    for (;;) {
      const settlement = await this.lanes.run(delivery);
      if (!broadcast || (settlement.kind !== 'retry' && settlement.kind !== 'park')) return settlement;
      // Only this process is to have it again, and nothing is kept for it: it waits here.
      const { afterMs, made } = againOf(settlement);
      await this.settings.clock.wait(afterMs, this.stopSignal);
      delivery = { ...delivery, redelivered: true, attempt: delivery.attempt + made };
    }
  }

  /**
   * Runs inside the delivery's lane, and so does all that a settlement needs but the ack: a follower of the key does not begin before its
   * predecessor is filed. The ack is written in the same turn of the event loop as the lane's end, so before the follower's.
   */
  async #handle(delivery: Delivery, signal: AbortSignal): Promise<Settlement> {
    const { ordered, broadcast } = this.subscription;
    const taking = this.#takings.get(delivery.message);
    // The broker gives it again, here or elsewhere, so it is not handled now; `accept` frees the lane, and no ack is sent.
    if (!taking?.alive) return accept;
    const unread = this.#unread.get(delivery.message);
    if (unread) this.settings.logger.error({ group: this.subscription.group, err: unread.error }, unread.error.message);
    const answer = unread ? park(unread.error.message, unread.error) : await this.receive(delivery, signal);
    const unasked = answer.kind === 'release' && !this.stopSignal.aborted;
    const settlement = unasked ? retry(UNASKED_RELEASE_MS, { counted: false }) : answer;
    const inLane = ordered && delivery.message.key !== null;
    const needed = this.#while(taking, signal);
    switch (settlement.kind) {
      case 'accept':
      case 'release':
        return settlement;
      case 'reject':
        return this.#filed(taking, this.filer.bury(this.subscription, delivery, settlement.reason, needed));
      case 'retry':
      case 'park':
        if (inLane || broadcast) return settlement;
        return this.#filed(
          taking,
          unread
            ? this.filer.sendUnreadAgain(this.subscription, delivery, unread.raw, needed)
            : this.filer.sendAgain(this.subscription, delivery, settlement, needed),
        );
    }
  }

  /** What was not filed goes back: by a release when this process stops, by itself when its channel has ended. */
  async #filed(taking: Taking, filing: Promise<boolean>): Promise<Settlement> {
    return (await filing) || !taking.alive ? accept : release;
  }

  /** Filing goes on as long as the delivery is ours and somebody waits for it. */
  #while(taking: Taking, signal: AbortSignal): () => boolean {
    return () => taking.alive && !signal.aborted;
  }

  async #cancel(): Promise<void> {
    const taking = this.#taking;
    if (!taking?.alive) return;
    const cancelling = Promise.all(taking.tags.map((tag) => taking.channel.cancel(tag))).then(
      () => (taking.cancelled = true),
    );
    // When the channel ends first, all that it held goes back by itself.
    await endedWithin(this.settings.clock, CLOSE_MS, cancelling);
  }

  async #deleteInstance(): Promise<void> {
    const { topic, group } = this.subscription;
    if (!this.#taking?.alive) return; // it ends itself
    const deleting = this.#taking.channel.deleteQueue(this.names.instance(topic, group, this.#instance));
    await endedWithin(this.settings.clock, CLOSE_MS, deleting);
  }
}

import {
  asError,
  CapabilityError,
  CLOSE_MS,
  type Delivery,
  endedWithin,
  type Receive,
  type Subscription,
  TidingsError,
} from '@tidings/core';
import type { Channel, GetMessage } from 'amqplib';
import type { RabbitMqSettings } from './rabbitmq.options';
import type { RabbitMqConnection } from './rabbitmq-connection';
import { fromAmqp } from './rabbitmq-mapping';
import type { RabbitMqNames } from './rabbitmq-names';
import { declareGroup } from './rabbitmq-topology';
import type { SettlementFiler } from './settlement-filer';
import { checkSubscription } from './subscription-check';

/** Takes messages of an unordered group when asked (`basic.get`), one after the other, on a channel for the call. */
export class RabbitMqPull {
  /** @throws CapabilityError for an ordered or a broadcast subscription: both live by a consumer that stays. */
  constructor(
    private readonly subscription: Subscription,
    private readonly receive: Receive,
    private readonly connection: RabbitMqConnection,
    private readonly filer: SettlementFiler,
    private readonly names: RabbitMqNames,
    private readonly settings: RabbitMqSettings,
  ) {
    const { group, topic, ordered, broadcast } = subscription;
    if (ordered || broadcast) {
      const way = `subscribe group ${group} on ${topic}: only a consumer that stays can ${ordered ? 'keep a key with one process' : 'have a queue of its own'}`;
      throw new CapabilityError('rabbitmq', ordered ? 'ordered' : 'broadcast', way);
    }
    checkSubscription(subscription, settings);
  }

  /** Resolves with how many it took, `limit` at most, when none is left or `signal` aborts. */
  async take(limit: number, signal: AbortSignal): Promise<number> {
    const { link } = this.connection;
    if (!link)
      throw new TidingsError('TIDINGS_RABBITMQ_AWAY', `rabbitmq: nothing can be pulled, ${this.connection.detail}`);
    const channel = await link.model.createChannel();
    let alive = true;
    channel.on('error', () => undefined).on('close', () => (alive = false)); // told by the call that it fails
    try {
      const [queue = ''] = await declareGroup(channel, this.names, this.subscription, this.settings);
      let taken = 0;
      while (taken < limit && !signal.aborted) {
        const message = await channel.get(queue, { noAck: false });
        if (!message) break;
        taken += 1;
        await this.#settle(channel, message, signal, () => alive);
      }
      return taken;
    } finally {
      await endedWithin(
        this.settings.clock,
        CLOSE_MS,
        channel.close().catch(() => undefined),
      ); // gives back what is unsettled
    }
  }

  async #settle(channel: Channel, message: GetMessage, signal: AbortSignal, alive: () => boolean): Promise<void> {
    const needed = (): boolean => alive() && !signal.aborted;
    const done = await this.#filed(message, signal, needed);
    if (!alive()) return; // the broker delivers it again
    if (done) channel.ack(message);
    else channel.nack(message, false, true);
  }

  /** True when nothing more is to be done about it at the broker but the ack. */
  async #filed(message: GetMessage, signal: AbortSignal, needed: () => boolean): Promise<boolean> {
    const { subscription, filer } = this;
    let delivery: Delivery;
    try {
      const { message: mapped, attempts, stamp, newer } = fromAmqp(message, subscription.topic);
      const redelivered =
        message.fields.redelivered || message.fields.exchange !== this.names.topic(subscription.topic);
      delivery = { message: mapped, attempt: attempts + 1, redelivered, ...(stamp && { stamp }) };
      if (newer) {
        this.settings.logger.error({ group: subscription.group, err: newer }, newer.message);
        return await filer.sendUnreadAgain(subscription, delivery, message as never, needed);
      }
    } catch (thrown) {
      return filer.buryUnreadable(subscription, message as never, asError(thrown), needed);
    }
    const settlement = await this.receive(delivery, signal);
    switch (settlement.kind) {
      case 'accept':
        return true;
      case 'release':
        return false;
      case 'reject':
        return filer.bury(subscription, delivery, settlement.reason, needed);
      case 'retry':
      case 'park':
        return filer.sendAgain(subscription, delivery, settlement, needed);
    }
  }
}

import { accept, againOf, asError, backoffMs, type Delivery, DeliveryLanes, fromStructuredEvent, LanedSubscription, type Receive, type Settlement, type Subscription, type WireMessage } from '@tidings/core'; // prettier-ignore
import { RedisConnection } from '../redis-connection';
import { isHopeless } from '../server-answers';
import type { PubSubSettings } from './redis-pubsub.options';

/**
 * One subscription of this process: the topic's channel and its group's, on a connection of its own. Redis keeps nothing: a retry waits here, and what is
 * neither handled nor tried again when this process stops, or came while the connection was lost, is gone. It is told.
 */
export class PubSubSubscription extends LanedSubscription {
  protected readonly lanes: DeliveryLanes;
  readonly #connection: RedisConnection;
  readonly #running = new Set<Promise<void>>();
  #dropped = 0;

  constructor(
    subscription: Subscription,
    private readonly channels: readonly string[],
    receive: Receive,
    private readonly settings: PubSubSettings,
  ) {
    super(subscription);
    this.lanes = new DeliveryLanes(subscription, receive, settings.clock);
    this.#connection = new RedisConnection(`hear ${subscription.topic} for ${subscription.group}`, settings);
    this.#connection.client.on('messageBuffer', (_channel: Buffer, content: Buffer) => this.#take(content));
  }

  /** Resolves when Redis has confirmed both channels. Tries again while the server is away; rejects for what no retry mends. ioredis subscribes anew after a lost connection. */
  async start(): Promise<void> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    const { group, topic } = this.subscription;
    for (let failures = 0; !this.stopSignal.aborted;) {
      try {
        await this.#connection.open();
        await this.#connection.client.subscribe(...this.channels);
        return;
      } catch (thrown) {
        if (isHopeless(thrown)) {
          this.#connection.close();
          throw thrown;
        }
        logger.warn({ group, topic, err: asError(thrown) }, 'a subscription waits for Redis');
        await clock.wait(backoffMs(++failures, reconnectMaxMs), this.stopSignal);
      }
    }
  }

  healthy(): boolean {
    return this.#connection.up && !this.stopSignal.aborted;
  }

  protected async end(drainMs: number): Promise<void> {
    this.#connection.close();
    await this.lanes.stop(drainMs);
    await Promise.all(this.#running);
  }

  /** Must not throw: it is called by ioredis. */
  #take(content: Buffer): void {
    if (this.stopSignal.aborted) return;
    const { maxWaiting, logger } = this.settings;
    const { group, topic } = this.subscription;
    if (this.#running.size >= maxWaiting) {
      if (this.#dropped++ === 0) logger.error({ group, topic, maxWaiting }, 'messages are dropped: the handler is too slow for what is published, and Pub/Sub keeps nothing'); // prettier-ignore
      return;
    }
    if (this.#dropped > 0) logger.error({ group, topic, dropped: this.#dropped }, 'messages were dropped');
    this.#dropped = 0;
    const running = this.#deliver(content).catch((thrown: unknown) => {
      logger.error({ group, topic, err: asError(thrown) }, 'a message was lost: it cannot be read');
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  async #deliver(content: Buffer): Promise<void> {
    const { message, attempts, stamp, newer }: WireMessage = fromStructuredEvent(content, this.subscription.topic);
    if (newer) throw newer; // nothing keeps it for the newer deployment
    let delivery: Delivery = { message, attempt: attempts + 1, redelivered: attempts > 0, ...(stamp && { stamp }) };
    for (;;) {
      const settlement = await this.lanes.run(delivery);
      if (settlement.kind !== 'retry' && settlement.kind !== 'park') return this.#tell(settlement, delivery);
      const { afterMs, made } = againOf(settlement);
      await this.settings.clock.wait(afterMs, this.stopSignal);
      delivery = { ...delivery, redelivered: true, attempt: delivery.attempt + made };
    }
  }

  #tell(settlement: Settlement, { message, attempt }: Delivery): void {
    if (settlement.kind === accept.kind) return;
    const reason = settlement.kind === 'reject' ? settlement.reason : 'its consumer stopped before it was handled';
    const { group, topic } = this.subscription;
    this.settings.logger.error({ group, topic, id: message.id, attempt, reason }, 'a message was lost: Pub/Sub keeps nothing'); // prettier-ignore
  }
}

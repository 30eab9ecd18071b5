import { type ActiveSubscription, type Capabilities, type DeadLetterSource, type GroupDirectory, type NativeDeadLetter, type NativeDeadLetters, type OutgoingMessage, PeriodicTask, type Publisher, type PublishResult, type Receive, type Reclaimer, type Subscription, type TopologyRemoval, type Transport, type TransportHealth } from '@tidings/core'; // prettier-ignore
import { type Bury, DeadLetterTaker } from './dead-letter-taker';
import { DueMessages, type ReleaseDue } from './due-messages';
import { readDeadLetters } from './native-dead-letters';
import { RedisClosedError } from './redis.errors';
import { away, type RedisConnection } from './redis-connection';
import type { ConsumingSettings } from './redis-consuming.options';
import type { RedisNames } from './redis-names';

export interface GroupTransportParts<Settings extends ConsumingSettings> {
  readonly settings: Settings;
  readonly names: RedisNames;
  readonly connection: RedisConnection;
  readonly publisher: Publisher & { stop(): Promise<void> };
  readonly reclaimer: Reclaimer;
  readonly releaseDue: ReleaseDue;
}

/** What streams and lists have in common: groups that keep what is not handled yet, delays, dead letters, reclaim. */
export abstract class RedisGroupTransport<Settings extends ConsumingSettings>
  implements Transport, NativeDeadLetters, DeadLetterSource, GroupDirectory, TopologyRemoval
{
  abstract readonly kind: string;
  abstract readonly capabilities: Capabilities;
  /** For a schedule of the application's own, as MessagingModule's `reclaim.reclaimers`. This transport runs it too, every `reclaimEveryMs`. */
  readonly reclaimer: Reclaimer;
  readonly #due: DueMessages;
  readonly #reclaiming: PeriodicTask;
  readonly #subscriptions = new Set<ActiveSubscription>();
  readonly #takers = new Set<DeadLetterTaker>();
  #connecting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  protected constructor(protected readonly parts: GroupTransportParts<Settings>) {
    const { connection, names, reclaimer, releaseDue, settings } = parts;
    const { clock, logger, reclaimEveryMs } = settings;
    this.reclaimer = reclaimer;
    this.#due = new DueMessages(connection, names, settings, releaseDue);
    this.#reclaiming = new PeriodicTask({
      ...{ name: `${reclaimer.name} reclaim`, everyMs: reclaimEveryMs, clock, logger },
      runOnce: async () => {
        if (!connection.up) return;
        logger.info({ report: await reclaimer.reclaim() }, 'reclaimed');
      },
    });
  }

  abstract subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription>;
  abstract hasGroup(topic: string, group: string): Promise<boolean>;
  abstract removeTopic(topic: string, groups: readonly string[]): Promise<void>;

  connect(): Promise<void> {
    if (this.#closing) return Promise.reject(new RedisClosedError('connect'));
    this.#connecting ??= this.parts.connection.open().catch((error: unknown) => {
      this.#connecting = undefined; // the next call tries again
      throw error;
    });
    return this.#connecting;
  }

  publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    return this.parts.publisher.publish(messages);
  }

  /** Of a subscription that was made for it. Connects first, if nobody has. */
  protected async started<Made extends ActiveSubscription & { start(): Promise<void> }>(active: Made): Promise<Made> {
    await this.connect();
    this.#subscriptions.add(active);
    try {
      await active.start();
    } catch (error) {
      this.#subscriptions.delete(active);
      throw error;
    }
    this.#due.watch(active.subscription.topic);
    this.#reclaiming.start();
    return active;
  }

  async nativeDeadLetters(topic: string, group: string, limit: number): Promise<readonly NativeDeadLetter[]> {
    const { connection, names } = this.parts;
    if (!connection.up) throw away(connection);
    const found = await readDeadLetters(connection, names.dead(topic, group), topic, limit);
    return found.map(({ letter }) => letter);
  }

  /** Connects first, if nobody has. */
  async takeDeadLetters(topic: string, group: string, bury: Bury): Promise<DeadLetterTaker> {
    await this.connect();
    const { connection, names, settings } = this.parts;
    const taker = new DeadLetterTaker({ stream: names.dead(topic, group), topic }, bury, connection, settings);
    this.#takers.add(taker);
    taker.start();
    return taker;
  }

  health(): TransportHealth {
    const { up, detail } = this.parts.connection;
    return { up, detail };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { connection, publisher, settings } = this.parts;
    await Promise.all([
      ...[...this.#subscriptions].map((active) => active.stop(settings.drainMs)),
      ...[...this.#takers].map((taker) => taker.stop()),
    ]);
    await Promise.all([this.#due.stop(), this.#reclaiming.stop(), publisher.stop()]);
    connection.close();
    await this.#connecting?.catch(() => undefined);
  }
}

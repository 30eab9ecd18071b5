import { randomUUID } from 'node:crypto';
import {
  accept,
  type ActiveSubscription,
  asError,
  attemptsIn,
  type Delivery,
  DeliveryLanes,
  PARK_RETRY_MS,
  type Receive,
  retry,
  type Settlement,
  type Subscription,
} from '@tidings/core';
import {
  deleteDeadReaders,
  deleteReader,
  insertNativeDeadLetter,
  type LaneBatch,
  type LoggedMessage,
  LogReader,
  type MessageLog,
} from '@tidings/postgres-log';
import type { ResolvedPostgresOptions } from './postgres.options';

/** A settlement that could not be written is tried again after this time, uncounted. */
const STORE_AWAY_MS = 1_000;

/**
 * A group on a topic, as cursors on the log: one set for the topic, one for what is addressed to this group alone (its delayed retries, redrives).
 *
 * A lane's cursor passes a batch when all of it is settled; a crash repeats at most the batches in flight. An ordered key that fails is tried again
 * in place, and with it waits its lane's next batch; the keys beside it in the batch go on. Without a key it is no other: a consumer holds lanes, not
 * messages, so what is published into the lane of a handler that hangs waits for that handler, also while other consumers of the group are idle.
 */
export class PostgresSubscription implements ActiveSubscription {
  readonly #lanes: DeliveryLanes;
  readonly #group: string;
  #reader!: LogReader;
  #readers: readonly number[] = [];
  #own = 0;
  #stopped: Promise<void> | undefined;

  constructor(
    readonly subscription: Subscription,
    receive: Receive,
    private readonly log: MessageLog,
    private readonly options: ResolvedPostgresOptions,
    private readonly onStopped: () => void,
  ) {
    this.#group = subscription.broadcast ? `${subscription.group}#${randomUUID()}` : subscription.group;
    this.#lanes = new DeliveryLanes(subscription, this.#filing(receive), options.clock);
  }

  async start(): Promise<void> {
    const { topic, broadcast, group, from } = this.subscription;
    const { namespace, clock, logger } = this.options;
    const everyone = await this.log.destination(namespace, topic);
    this.#own = await this.log.destination(namespace, topic, this.#group);
    if (broadcast) await deleteDeadReaders(this.log.store, everyone, group);
    // The group's own cursors first: a redrive must find them as soon as the group is known.
    const own = await this.log.reader(this.#group, this.#own, 'earliest');
    const topical = await this.log.reader(this.#group, everyone, from);
    this.#readers = [own, topical];
    this.#reader = new LogReader({
      log: this.log,
      name: broadcast ? this.#group : `${namespace}/${topic}/${this.#group}`,
      options: this.options,
      deliver: (batch) => this.#deliver(batch),
      clock,
      logger,
    });
    this.#reader.add(topical, everyone);
    this.#reader.add(own, this.#own);
    await this.#reader.start();
  }

  healthy(): boolean {
    return this.#stopped === undefined && this.#reader.failing === undefined;
  }

  pause(): void {
    this.#lanes.pause();
  }

  resume(): void {
    this.#lanes.resume();
  }

  admitOne(): void {
    this.#lanes.admitOne();
  }

  setConcurrency(concurrency: number): void {
    this.#lanes.setConcurrency(concurrency);
  }

  stop(drainMs: number): Promise<void> {
    this.#stopped ??= (async () => {
      await Promise.all([this.#lanes.stop(drainMs), this.#reader.stop()]);
      if (this.subscription.broadcast) for (const reader of this.#readers) await deleteReader(this.log.store, reader);
    })().finally(this.onStopped);
    return this.#stopped;
  }

  async #deliver({ messages }: LaneBatch): Promise<number> {
    const done = await Promise.all(messages.map((logged) => this.#one(logged)));
    const first = done.indexOf(false);
    return first === -1 ? done.length : first;
  }

  /** True when the cursor may pass it. */
  async #one(logged: LoggedMessage): Promise<boolean> {
    const delivery: Delivery = {
      message: logged.message,
      attempt: logged.attempts + 1,
      redelivered: logged.redelivered || logged.attempts > 0,
      ...(logged.relayed && { stamp: logged.relayed }),
    };
    const settlement = await this.#lanes.run(delivery);
    if (settlement.kind === 'release') return false;
    if (settlement.kind === 'retry') await this.#again(logged, settlement.afterMs, attemptsIn(settlement));
    if (settlement.kind === 'park') await this.#again(logged, PARK_RETRY_MS, 0);
    return true;
  }

  /** Files the retry, for this group alone, before the cursor passes the original: a crash in between delivers twice, never not at all. */
  #again({ message, attempts }: LoggedMessage, afterMs: number, made: number): Promise<void> {
    return this.log.appendAlone([
      {
        message,
        destination: this.#own,
        fresh: false,
        attempts: attempts + made,
        optional: false,
        delayMs: afterMs,
      },
    ]);
  }

  /** Files what is rejected inside of the key's lane: a follower must not run before its head is durably out of the way. */
  #filing(receive: Receive): Receive {
    return async (delivery, signal): Promise<Settlement> => {
      const settlement = await receive(delivery, signal);
      if (settlement.kind !== 'reject') return settlement;
      try {
        await insertNativeDeadLetter(
          this.log.store,
          this.#readers[1]!,
          delivery.message,
          delivery.attempt,
          settlement.reason,
        );
        return accept;
      } catch (thrown) {
        return retry(STORE_AWAY_MS, { counted: false, error: asError(thrown) });
      }
    };
  }
}

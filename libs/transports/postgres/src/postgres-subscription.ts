import { randomUUID } from 'node:crypto';
import {
  accept,
  asError,
  attemptsIn,
  type Delivery,
  DeliveryLanes,
  LanedSubscription,
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

/** Where a subscription sits in the log. */
interface Seat {
  readonly reader: LogReader;
  /** The destination of what is addressed to this group alone. */
  readonly own: number;
  /** The reader of the topic. */
  readonly topical: number;
  readonly readers: readonly number[];
}

/** A settlement that could not be written is tried again after this time, uncounted. */
const STORE_AWAY_MS = 1_000;

/**
 * A group on a topic, as cursors on the log: one set for the topic, one for what is addressed to this group alone (its delayed retries, redrives).
 *
 * A lane's cursor passes a batch when all of it is settled; a crash repeats at most the batches in flight. An ordered key that fails is tried again
 * in place, and with it waits its lane's next batch; the keys beside it in the batch go on. Without a key it is no other: a consumer holds lanes, not
 * messages, so what is published into the lane of a handler that hangs waits for that handler, also while other consumers of the group are idle.
 */
export class PostgresSubscription extends LanedSubscription {
  protected readonly lanes: DeliveryLanes;
  readonly #group: string;
  #seat: Seat | undefined;
  #rejoining: Promise<void> | undefined;

  constructor(
    subscription: Subscription,
    receive: Receive,
    private readonly log: MessageLog,
    private readonly options: ResolvedPostgresOptions,
    private readonly onStopped: () => void,
  ) {
    super(subscription);
    this.#group = subscription.broadcast ? `${subscription.group}#${randomUUID()}` : subscription.group;
    this.lanes = new DeliveryLanes(subscription, this.#filing(receive), options.clock);
  }

  async start(): Promise<void> {
    const { broadcast, group, topic } = this.subscription;
    if (broadcast) {
      const everyone = await this.log.destination(this.options.namespace, topic);
      await deleteDeadReaders(this.log.store, everyone, group);
    }
    await this.#join();
  }

  healthy(): boolean {
    return !this.stopSignal.aborted && this.#seat!.reader.failing === undefined;
  }

  protected async end(drainMs: number): Promise<void> {
    try {
      const left = (this.#rejoining ?? Promise.resolve()).then(() => this.#seat!.reader.stop());
      await Promise.all([this.lanes.stop(drainMs), left]);
      if (this.subscription.broadcast)
        for (const reader of this.#seat!.readers) await deleteReader(this.log.store, reader);
    } finally {
      this.onStopped();
    }
  }

  /** Takes a seat before anything can be delivered at it; a failure leaves the former one. */
  async #join(): Promise<void> {
    const { topic, broadcast, from } = this.subscription;
    const { namespace, clock, logger } = this.options;
    const everyone = await this.log.destination(namespace, topic);
    const own = await this.log.destination(namespace, topic, this.#group);
    // The group's own cursors first: a redrive must find them as soon as the group is known.
    const addressed = await this.log.reader(this.#group, own, 'earliest');
    const topical = await this.log.reader(this.#group, everyone, from);
    const reader = new LogReader({
      log: this.log,
      name: broadcast ? this.#group : `${namespace}/${topic}/${this.#group}`,
      options: this.options,
      deliver: (batch) => this.#deliver(batch),
      clock,
      logger,
      onGone: () => {
        // A late look of the reader before this seat's: answered already, and one more seat would deliver again what this one has in hand.
        if (this.#seat?.reader !== reader) return;
        this.#rejoining ??= this.#rejoin().finally(() => (this.#rejoining = undefined));
      },
    });
    reader.add(topical, everyone);
    reader.add(addressed, own);
    const former = this.#seat;
    this.#seat = { reader, own, topical, readers: [addressed, topical] };
    try {
      await reader.start();
    } catch (thrown) {
      this.#seat = former ?? this.#seat;
      throw thrown;
    }
  }

  /**
   * A process of a broadcast that slept for longer than it was waited for finds its readers removed, so that the log need not be kept for it: it joins
   * again, as a new process would. Under the same name, for retries on their way are addressed to it. When that fails, the next look comes here again.
   */
  async #rejoin(): Promise<void> {
    if (this.stopSignal.aborted) return;
    const former = this.#seat!.reader;
    try {
      this.log.forget(this.options.namespace, this.subscription.topic, this.#group);
      await this.#join();
    } catch (thrown) {
      const fields = { group: this.#group, topic: this.subscription.topic, err: asError(thrown) };
      return this.options.logger.warn(fields, 'a removed reader could not be registered anew; it is tried again');
    }
    await former.stop();
  }

  async #deliver({ messages, destination }: LaneBatch): Promise<number> {
    const again = destination === this.#seat!.own;
    const done = await Promise.all(messages.map((logged) => this.#one(logged, again)));
    const first = done.indexOf(false);
    return first === -1 ? done.length : first;
  }

  /**
   * True when the cursor may pass it. What is addressed to this group alone was in its hands before, though no attempt was counted (the handler asked for
   * that, or a suspect could not be noted): it is redelivered, as every transport has it.
   */
  async #one(logged: LoggedMessage, again: boolean): Promise<boolean> {
    const delivery: Delivery = {
      message: logged.message,
      attempt: logged.attempts + 1,
      redelivered: logged.redelivered || logged.attempts > 0 || again,
      ...(logged.relayed && { stamp: logged.relayed }),
    };
    const settlement = await this.lanes.run(delivery);
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
        destination: this.#seat!.own,
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
          this.#seat!.topical,
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

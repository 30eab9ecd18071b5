import { accept, againOf, asError, backoffMs, CLOSE_MS, type Delivery, DeliveryLanes, endedWithin, LanedSubscription, type NewerWireError, park, type Receive, release, retry, type Settlement, type Subscription, TidingsError } from '@tidings/core'; // prettier-ignore
import { randomUUID } from 'node:crypto';
import type { FetchedRecord, KafkaAdmin, KafkaClient, KafkaConsumer, TopicPartition } from './client/kafka-client'; // prettier-ignore
import { GroupMarks, idOf } from './group-marks';
import { placeGroup } from './group-offsets';
import type { KafkaSettings } from './kafka.options';
import { fromKafka, OWN_HEADERS, textOf } from './kafka-mapping';
import type { KafkaNames } from './kafka-names';
import type { KafkaTopics } from './kafka-topics';
import { PartitionProgress } from './partition-progress';
import type { SettlementFiler } from './settlement-filer';

/** What a delivery came from. */
interface Taken {
  readonly record: FetchedRecord;
  readonly progress: PartitionProgress;
  /** In a newer wire version than ours: not handled here, and sent again only as it came. */
  readonly newer?: NewerWireError;
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

const gate = (): Gate => {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};

/** How long a subscription waits for its share of the partitions. */
const MOST_JOIN_MS = 2_000;
/** A handler that answers `release` while nobody stops: at once again, the message would spin. */
const UNASKED_RELEASE_MS = 1_000;

/**
 * One subscription of this process: a consumer on the topic and on the group's own topic, and behind it the lanes, which outlive consumers and
 * generations, so that a key stays serial here also when it is read again while a handler still works on it.
 *
 * A rebalance first drains: nothing begins, what runs may end, and the low-water marks are committed with all that is done above them. Then every
 * partition of the old generation is given up, also one that comes back: what was taken ahead is read again, what was done is not.
 */
export class KafkaSubscription extends LanedSubscription {
  protected readonly lanes: DeliveryLanes;
  /** By message, not by delivery: the lanes make a new delivery of each attempt. */
  readonly #taken = new WeakMap<object, Taken>();
  readonly #settling = new Set<Promise<void>>();
  readonly #groupId: string;
  readonly #topics: readonly string[];
  readonly #marks: GroupMarks;
  #consumer: KafkaConsumer | undefined;
  /** Of this generation, when its places are known. */
  #assigned: Promise<Map<string, PartitionProgress>> = Promise.resolve(new Map<string, PartitionProgress>());
  readonly #paused = new Map<string, TopicPartition>();
  /** Shut between two generations. */
  #between: Gate | undefined;
  readonly #joined = gate();
  #running = 0;
  #idle = gate();
  #room = gate();
  #aliveMs: number | undefined;
  #reopening: Promise<void> = Promise.resolve();

  /** @throws KafkaNameError */
  constructor(
    subscription: Subscription,
    private readonly receive: Receive,
    private readonly client: KafkaClient,
    private readonly admin: KafkaAdmin,
    private readonly topics: KafkaTopics,
    private readonly filer: SettlementFiler,
    private readonly names: KafkaNames,
    private readonly settings: KafkaSettings,
  ) {
    super(subscription);
    const { topic, group, broadcast } = subscription;
    this.#groupId = broadcast ? names.instance(topic, group, randomUUID()) : names.group(topic, group);
    this.#topics = [names.topic(topic), names.group(topic, group)];
    this.#marks = new GroupMarks(this.#groupId, settings, this.stopSignal);
    this.lanes = new DeliveryLanes(subscription, (delivery, signal) => this.#handle(delivery, signal), settings.clock);
  }

  /**
   * Resolves when the group has its places: what is published from then on reaches it. For its partitions the consumer waits as long as others drain,
   * and this only for a while of that.
   */
  async start(): Promise<void> {
    await this.#open(this.subscription.from);
    const { clock, rebalanceDrainMs } = this.settings;
    await endedWithin(clock, Math.min(MOST_JOIN_MS, rebalanceDrainMs / 2), this.#joined.opened);
  }

  healthy(): boolean {
    const { clock, sessionTimeoutMs } = this.settings;
    if (this.stopSignal.aborted || this.#aliveMs === undefined) return false;
    return clock.monotonic() - this.#aliveMs < sessionTimeoutMs;
  }

  protected async end(drainMs: number): Promise<void> {
    const { clock, logger } = this.settings;
    this.#room.open();
    // The consumer stays in its group meanwhile: nobody else gets a key that a handler works on.
    await this.lanes.stop(drainMs);
    await Promise.all(this.#settling);
    await endedWithin(clock, CLOSE_MS, this.#reopening);
    await endedWithin(clock, CLOSE_MS, this.#marks.commit(true));
    this.#marks.giveUp();
    this.#between?.open();
    const consumer = this.#consumer;
    if (consumer && !(await endedWithin(clock, 3 * CLOSE_MS, consumer.close())))
      logger.warn({ group: this.#groupId }, 'a consumer did not leave its group in time: the broker waits for it for the session time-out'); // prettier-ignore
    if (this.subscription.broadcast) await endedWithin(clock, CLOSE_MS, this.admin.deleteGroup(this.#groupId));
  }

  async #open(from: Subscription['from']): Promise<void> {
    const { topic, group } = this.subscription;
    const [topicName, groupName] = this.#topics as [string, string];
    const partitions = await this.topics.topic(topic);
    if (partitions === 0)
      throw new TidingsError(
        'TIDINGS_KAFKA_TOPIC',
        `kafka: group ${group}: there is no topic ${topicName}; create it, or let createTopics`,
      );
    await this.topics.group(topic, group);
    await placeGroup(this.admin, this.#groupId, topicName, from);
    await placeGroup(this.admin, this.#groupId, groupName, this.subscription.broadcast ? 'now' : 'earliest');
    const consumer = this.client.consumer(
      { groupId: this.#groupId, topics: this.#topics },
      {
        beforeJoin: () => this.#giveUp(),
        assigned: (ours) => this.#assign(ours),
        records: (records, end) => this.#read(records, end),
        alive: () => (this.#aliveMs = this.settings.clock.monotonic()),
        crashed: (error) => {
          this.#reopening = this.#reopen(consumer, error);
        },
      },
    );
    this.#consumer = consumer;
    try {
      await consumer.start();
    } catch (error) {
      void consumer.close().catch(() => undefined);
      throw error;
    }
  }

  /** Until it consumes again, or this subscription stops. Its topics and places may be gone: they are made anew, and nothing new is missed. */
  async #reopen(crashed: KafkaConsumer, error: Error): Promise<void> {
    const { logger, clock, reconnectMaxMs } = this.settings;
    this.#aliveMs = undefined;
    logger.warn({ group: this.#groupId, err: error }, 'a consumer ended; it begins anew');
    void crashed.close().catch(() => undefined);
    this.#forget();
    for (let failures = 1; !this.stopSignal.aborted; failures++) {
      await clock.wait(backoffMs(failures, reconnectMaxMs), this.stopSignal);
      if (this.stopSignal.aborted) return;
      for (const name of this.#topics) this.topics.forget(name);
      try {
        return await this.#open('earliest');
      } catch (thrown) {
        logger.error({ group: this.#groupId, err: asError(thrown) }, 'a consumer cannot begin; it is tried again');
      }
    }
  }

  /** Between two generations. A key's next message must not begin here while another process may get its partition. */
  async #giveUp(): Promise<void> {
    const { clock, rebalanceDrainMs } = this.settings;
    this.#between ??= gate();
    if (this.#running > 0) await endedWithin(clock, rebalanceDrainMs, this.#idle.opened);
    await endedWithin(clock, CLOSE_MS, this.#marks.commit(true));
    this.#forget();
  }

  #forget(): void {
    this.#marks.giveUp();
    this.#assigned = Promise.resolve(new Map<string, PartitionProgress>());
    this.#paused.clear();
    this.#room.open();
  }

  #assign(ours: readonly TopicPartition[]): void {
    this.#forget();
    const assigning = this.#places(ours);
    this.#assigned = assigning;
    assigning.catch(() => undefined); // whoever reads hears of it
    this.#between?.open();
    this.#between = undefined;
    this.#joined.open();
  }

  async #places(ours: readonly TopicPartition[]): Promise<Map<string, PartitionProgress>> {
    const byTopic = await Promise.all(
      [...new Set(ours.map(({ topic }) => topic))].map(
        (topic) =>
        this.admin.committed(this.#groupId, topic, Math.max(...ours.filter((one) => one.topic === topic).map(({ partition }) => partition)) + 1), // prettier-ignore
      ),
    );
    const places = new Map(byTopic.flat().map((place) => [idOf(place), place]));
    return new Map(ours.map((one) => [idOf(one), new PartitionProgress(places.get(idOf(one)) ?? { offset: -1, metadata: '' })])); // prettier-ignore
  }

  async #read(records: readonly FetchedRecord[], end: number): Promise<void> {
    const first = records[0];
    if (!first || this.stopSignal.aborted) return;
    const id = idOf(first);
    const assigned = this.#assigned;
    const places = await assigned;
    if (assigned !== this.#assigned) return; // the generation has changed meanwhile
    await this.#marks.keep(places, this.#consumer);
    let progress = places.get(id);
    if (!progress?.alive) return;
    if (first.offset < progress.next) {
      // The partition is another than it was: deleted and created, or its offsets were moved.
      progress.alive = false;
      progress = new PartitionProgress({ offset: first.offset, metadata: '' });
      places.set(id, progress);
    }
    for (const record of records) {
      if (progress.take(record.offset, end)) this.#take({ record, progress });
    }
    if (progress.held >= this.settings.prefetch) await this.#waitForRoom(first, progress);
  }

  /** Briefly in place, as when handlers are fast; else by pausing, so that others partitions go on. */
  async #waitForRoom(partition: TopicPartition, progress: PartitionProgress): Promise<void> {
    const { clock, fetchWaitMs, prefetch } = this.settings;
    this.#room = gate();
    await endedWithin(clock, fetchWaitMs, this.#room.opened);
    if (!progress.alive || progress.held < prefetch) return;
    this.#paused.set(idOf(partition), partition);
    this.#consumer?.pause(partition);
  }

  #take(taken: Taken): void {
    const settling = this.#settled(taken);
    this.#settling.add(settling);
    void settling.then(() => this.#settling.delete(settling));
  }

  async #settled(taken: Taken): Promise<void> {
    const settlement = await this.#settlementOf(taken.record, taken.progress);
    if (settlement.kind === 'accept') this.#done(taken);
  }

  /** Once. */
  #done({ record, progress }: Taken): void {
    if (!progress.alive || !progress.settle(record.offset)) return;
    if (progress.held === Math.floor(this.settings.prefetch / 2)) {
      this.#room.open();
      const paused = this.#paused.get(idOf(record));
      if (paused && this.#paused.delete(idOf(record))) this.#consumer?.resume(paused);
    }
    this.#marks.commitSoon();
  }

  async #settlementOf(record: FetchedRecord, progress: PartitionProgress): Promise<Settlement> {
    const { topic, broadcast } = this.subscription;
    const { clock } = this.settings;
    let delivery: Delivery;
    try {
      const { message, attempts, stamp, newer } = fromKafka(record, topic, this.settings.foreign);
      this.#taken.set(message, { record, progress, ...(newer && { newer }) });
      // Whatever came by the group's own topic is a retry or a redrive.
      const redelivered = record.topic !== this.#topics[0] || progress.wasBegun(record.offset);
      delivery = { message, attempt: attempts + 1, redelivered, ...(stamp && { stamp }) };
    } catch (thrown) {
      const needed = this.#while(progress, this.stopSignal);
      return (await this.filer.buryUnreadable(this.subscription, record, asError(thrown), needed)) ? accept : release;
    }
    const dueMs = Number(textOf(record.headers[OWN_HEADERS.due]) || 0);
    if (dueMs > 0) await clock.wait(Math.max(0, dueMs - clock.now()), this.stopSignal);
    for (;;) {
      const settlement = await this.lanes.run(delivery);
      if (!broadcast || (settlement.kind !== 'retry' && settlement.kind !== 'park')) return settlement;
      // Only this process is to have it again: it waits here.
      const { afterMs, made } = againOf(settlement);
      await clock.wait(afterMs, this.stopSignal);
      delivery = { ...delivery, redelivered: true, attempt: delivery.attempt + made };
    }
  }

  /** Runs inside the delivery's lane, and so does all that a settlement needs but the commit. */
  async #handle(delivery: Delivery, signal: AbortSignal): Promise<Settlement> {
    const taken = this.#taken.get(delivery.message);
    while (taken?.progress.alive && this.#between) await this.#between.opened;
    // Whoever owns its partition now reads it again; `accept` frees the lane, and nothing is committed.
    if (!taken?.progress.alive) return accept;
    taken.progress.begin(taken.record.offset);
    if (this.#running++ === 0) this.#idle = gate();
    try {
      const settlement = await this.#settle(delivery, signal, taken);
      // Before a rebalance hears that nothing runs: it commits then, and what is not in that commit is handled again.
      if (settlement.kind === 'accept') this.#done(taken);
      return settlement;
    } finally {
      if (--this.#running === 0) this.#idle.open();
    }
  }

  async #settle(delivery: Delivery, signal: AbortSignal, { record, progress, newer }: Taken): Promise<Settlement> {
    const { ordered, broadcast, group } = this.subscription;
    if (newer) this.settings.logger.error({ group, err: newer }, newer.message);
    const answer = newer ? park(newer.message, newer) : await this.receive(delivery, signal);
    const unasked = answer.kind === 'release' && !this.stopSignal.aborted;
    const settlement = unasked ? retry(UNASKED_RELEASE_MS, { counted: false }) : answer;
    const inLane = ordered && delivery.message.key !== null;
    const needed = this.#while(progress, signal);
    switch (settlement.kind) {
      case 'accept':
      case 'release':
        return settlement;
      case 'reject':
        return this.#filed(progress, this.filer.bury(this.subscription, delivery, settlement.reason, needed));
      case 'retry':
      case 'park':
        if (inLane || broadcast) return settlement;
        return this.#filed(
          progress,
          newer
            ? this.filer.sendUnreadAgain(this.subscription, delivery, record, needed)
            : this.filer.sendAgain(this.subscription, delivery, settlement, needed),
        );
    }
  }

  async #filed(progress: PartitionProgress, filing: Promise<boolean>): Promise<Settlement> {
    return (await filing) || !progress.alive ? accept : release;
  }

  /** Filing goes on as long as the delivery is ours and somebody waits for it. */
  #while(progress: PartitionProgress, signal: AbortSignal): () => boolean {
    return () => progress.alive && !signal.aborted;
  }
}

import { randomUUID } from 'node:crypto';
import {
  accept,
  againOf,
  asError,
  type Delivery,
  DeliveryLanes,
  LanedSubscription,
  type NewerWireError,
  park,
  type Receive,
  release,
  retry,
  type Settlement,
  type Subscription,
} from '@tidings/core';
import type { IPublishPacket } from 'mqtt';
import type { DeliveryFiler } from './delivery-filer';
import type { GroupPresence } from './group-presence';
import { GroupSeats } from './group-seats';
import type { MqttSettings } from './mqtt.options';
import { fromMqtt } from './mqtt-mapping';
import type { MqttNames } from './mqtt-names';
import { MqttSeat } from './mqtt-seat';

const HELD_PREFETCH = 64;
const MOST_PREFETCH = 65_535;
/** A handler that answers `release` while nobody stops: at once it would spin. */
const UNASKED_RELEASE_MS = 1_000;
/** How long a copy is tried for that only tells of attempts. */
const COPY_MS = 5_000;

/** A message that one of the seats brought, and what became of it. */
interface Taken {
  readonly seat: MqttSeat;
  /** Attempts that its copy at the broker tells of. */
  readonly attempts: number;
  readonly newer?: NewerWireError;
  /** Somebody else gets it: the lane goes on, and it is not acknowledged. */
  left: boolean;
}

/**
 * One subscription of this process: its seats, and behind them the lanes, which outlive seats, so that a key stays serial here also when a message comes
 * again that a handler still works on.
 *
 * MQTT has no negative acknowledgement. A retry waits here, its message unacknowledged; when this consumer stops meanwhile, a copy that knows its attempts
 * goes to the group's own topic first. Of an ordered key nothing is copied, which would swap its order: it comes again with the attempts of its copy at
 * the broker.
 */
export class MqttSubscription extends LanedSubscription {
  readonly #seats: GroupSeats;
  protected readonly lanes: DeliveryLanes;
  /** By message, not by delivery: the lanes make a new delivery of each attempt. */
  readonly #taken = new WeakMap<object, Taken>();
  readonly #settling = new Set<Promise<void>>();
  readonly #id = randomUUID();
  #started = false;

  constructor(
    subscription: Subscription,
    private readonly receive: Receive,
    presence: GroupPresence,
    private readonly filer: DeliveryFiler,
    private readonly names: MqttNames,
    private readonly settings: MqttSettings,
    private readonly onStopped: () => void,
  ) {
    super(subscription);
    this.lanes = new DeliveryLanes(subscription, (delivery, signal) => this.#handle(delivery, signal), settings.clock);
    this.#seats = new GroupSeats(this.#id, subscription, presence, settings, (seat) => this.#seat(seat));
  }

  async start(): Promise<void> {
    try {
      await this.#seats.start();
      this.#started = true;
    } catch (thrown) {
      await this.stop(0);
      throw thrown;
    }
  }

  healthy(): boolean {
    return this.#started && this.#seats.healthy;
  }

  /** What a seat takes ahead stays as it was when it was taken. */
  protected async end(drainMs: number): Promise<void> {
    const leaving = this.#seats.stop();
    await this.lanes.stop(drainMs);
    while (this.#settling.size > 0) await Promise.all(this.#settling);
    await leaving;
    await this.#seats.leave();
    this.onStopped();
  }

  #seat(number: number): MqttSeat {
    const { topic, group, ordered, broadcast } = this.subscription;
    const { seats, sharedSubscriptions, prefetch } = this.settings;
    const share = sharedSubscriptions && !ordered;
    const groups = share ? this.names.shared(topic, group) : this.names.lanes(topic, group, number, seats);
    const plan = {
      number,
      clientId: broadcast ? this.names.instance(this.#id, 'broadcast') : this.names.seat(topic, group, number),
      filters: broadcast ? [this.names.all(topic)] : groups,
      keepsSession: !broadcast,
      receiveMaximum: prefetch ?? Math.min(MOST_PREFETCH, Math.max(2 * this.lanes.concurrency, HELD_PREFETCH)),
      take: (packet: IPublishPacket, seat: MqttSeat) => this.#take(packet, seat),
    };
    return new MqttSeat(plan, this.settings);
  }

  /** Must not throw: MQTT.js would end. */
  #take(packet: IPublishPacket, seat: MqttSeat): void {
    // Retained, to a group: MQTT 3.1.1 sends it at each subscribing (3.8.4), and the group has had it.
    if (packet.retain && !this.subscription.broadcast) return seat.settle(packet);
    const settling = this.#settle(packet, seat).catch((thrown: unknown) => {
      this.settings.logger.error(
        { group: this.subscription.group, err: asError(thrown) },
        'a delivery was not settled; the broker gives it again with the next connection',
      );
    });
    this.#settling.add(settling);
    void settling.then(() => this.#settling.delete(settling));
  }

  async #settle(packet: IPublishPacket, seat: MqttSeat): Promise<void> {
    const { topic } = this.subscription;
    const needed = (): boolean => seat.alive && !this.stopSignal.aborted;
    let delivery: Delivery;
    let taken: Taken;
    try {
      const read = fromMqtt(packet, topic);
      const { stamp, newer, message, attempts } = read;
      taken = { seat, attempts, left: false, ...(newer && { newer }) };
      this.#taken.set(message, taken);
      // Whatever came by the group's own topic is a retry or a redrive.
      const redelivered = packet.dup || attempts > 0 || this.names.isGroups(packet.topic);
      delivery = { message, attempt: attempts + 1, redelivered, ...(stamp && { stamp }) };
    } catch (thrown) {
      const filed = await this.filer.buryUnreadable(this.subscription, packet, asError(thrown), needed);
      return filed ? seat.settle(packet) : undefined;
    }
    let settlement = await this.lanes.run(delivery);
    while (settlement.kind === 'retry' || settlement.kind === 'park') {
      const { afterMs, made } = againOf(settlement);
      delivery = { ...delivery, redelivered: true, attempt: delivery.attempt + made };
      await this.settings.clock.wait(afterMs, AbortSignal.any([this.stopSignal, seat.ending]));
      settlement = this.stopSignal.aborted || seat.ending.aborted ? release : await this.lanes.run(delivery);
    }
    if (taken.left) return;
    if (settlement.kind === 'accept') return seat.settle(packet);
    // Released: the broker gives it to the next who holds the seat. Only a copy can tell them of attempts that were made here.
    if (delivery.attempt - 1 <= taken.attempts || this.subscription.broadcast || !seat.alive) return;
    const copying = this.#copy(delivery, packet, seat);
    seat.hold(copying);
    await copying;
  }

  async #copy(delivery: Delivery, packet: IPublishPacket, seat: MqttSeat): Promise<void> {
    const { clock } = this.settings;
    const latest = clock.monotonic() + COPY_MS;
    const needed = (): boolean => seat.alive && clock.monotonic() < latest;
    if (await this.filer.sendAgain(this.subscription, delivery, needed)) seat.settle(packet);
  }

  /**
   * Runs inside the delivery's lane, and so does all that a settlement needs but the acknowledgement: a follower of the key does not begin before its
   * predecessor is filed.
   */
  async #handle(delivery: Delivery, signal: AbortSignal): Promise<Settlement> {
    const taken = this.#taken.get(delivery.message)!;
    const { seat, newer } = taken;
    if (seat.ending.aborted) {
      taken.left = true;
      return accept;
    }
    let done!: () => void;
    seat.hold(new Promise<void>((resolve) => (done = resolve)));
    try {
      if (newer) this.settings.logger.error({ group: this.subscription.group, err: newer }, newer.message);
      const answer = newer ? park(newer.message, newer) : await this.receive(delivery, signal);
      if (answer.kind === 'reject') {
        const needed = (): boolean => seat.alive && !signal.aborted;
        if (!(await this.filer.bury(this.subscription, delivery, answer.reason, needed))) taken.left = true;
        return accept;
      }
      const unasked = answer.kind === 'release' && !this.stopSignal.aborted;
      return unasked ? retry(UNASKED_RELEASE_MS, { counted: false }) : answer;
    } finally {
      // One turn later the acknowledgement is written, and the seat may go.
      setImmediate(done);
    }
  }
}

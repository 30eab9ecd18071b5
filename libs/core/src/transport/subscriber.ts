import type { KeyLimit } from '../handling/key-limit';
import type { Pace } from '../handling/pace';
import type { Delivery, Message } from '../message/message';
import type { Settlement } from './settlement';

/** A group's interest in a topic. Consumers of one group share its messages; every group gets all of them. */
export interface Subscription {
  readonly topic: string;
  readonly group: string;
  /** Messages of one key one after the other, across all consumers of the group. */
  readonly ordered: boolean;
  /** Every process that subscribes gets every message; nothing is kept for a process that is away. */
  readonly broadcast: boolean;
  /** Deliveries that one consumer handles at once. */
  readonly concurrency: number;
  /** How many messages of one key one consumer handles at once. Default: as many as it has places. Of an ordered subscription it is one anyway. */
  readonly keyLimit?: KeyLimit;
  /**
   * How urgent a message is, 0 for the usual ones: of what waits in a process for a free place, the most urgent begins first. Counts among different keys
   * only; within an ordered key nothing overtakes. Default: the `priority` that it was published with. What it rejects with counts as 0.
   */
  readonly priority?: (message: Message) => number | Promise<number>;
  /** How fast deliveries may begin in this process. Default: as fast as places get free. */
  readonly pace?: Pace;
  /** Begins paused, until it is resumed. Default false. */
  readonly paused?: boolean;
  /** The most attempts that a handler's retry policy makes, Infinity for no end. A transport refuses a limit of its broker's below. Default: not known. */
  readonly attempts?: number;
  /** Where a group that did not exist before begins. `earliest` needs the capability `replay`. */
  readonly from: 'now' | 'earliest';
  /** What `DeliveryLanes` hands over together. Default: nothing. `concurrency` then counts the deliveries of all batches that run at once. */
  readonly batching?: Batching;
}

/** Which messages are handed over in batches. */
export interface Batching {
  /** Batches and single deliveries that one consumer handles at once. Each may hold a connection of a pool. */
  readonly places: number;
  /** By message type; any other type is delivered singly. */
  readonly byType: ReadonlyMap<string, BatchLimits>;
}

export interface BatchLimits {
  /** Messages in a batch, at most. */
  readonly size: number;
  /** How long the first waits for more, in milliseconds. 0: not at all, it takes along what is there when its place is free. */
  readonly waitMs: number;
}

/**
 * Handles one delivery. Never rejects: failure is a settlement. `signal` aborts when the subscription stops and its drain time is over; a
 * handler still running then is settled as `release`, whatever it returns later.
 */
export type Receive = (delivery: Delivery, signal: AbortSignal) => Promise<Settlement>;

export interface ActiveSubscription {
  readonly subscription: Subscription;
  /**
   * Stops taking deliveries, waits up to `drainMs` for those in flight, settles them, hands the rest back to the group, and resolves. Safe
   * twice and concurrently.
   */
  stop(drainMs: number): Promise<void>;
  /**
   * Begins no further delivery until `resume`; those that run go on and are settled. What the transport has taken already waits here, unsettled, in its
   * order: nothing is lost, and a stop hands it back. Safe twice.
   */
  pause(): void;
  resume(): void;
  /** While paused: lets one delivery begin, a probe whether what failed is mended. */
  admitOne(): void;
  /**
   * Deliveries handled at once from now on, 1 or more; those that run stay. What the transport takes ahead follows as far as it can, by itself.
   *
   * @throws OptionsError for anything but a whole number from 1.
   */
  setConcurrency(concurrency: number): void;
  /** False while the consumer is away from its broker (connection lost, cancelled) and on its way back. */
  healthy(): boolean;
}

/** Optional power: takes messages when asked, in place of being given them. */
export interface PullSubscriber {
  /**
   * Takes up to `limit` messages that wait for the group, hands them to `receive` one after the other and settles each. Resolves with how many there
   * were. Declares the group. Concurrent calls share the group's messages.
   *
   * @throws CapabilityError for a subscription that needs a consumer that stays.
   */
  pull(subscription: Subscription, receive: Receive, limit: number): Promise<number>;
}

/** The way in. */
export interface Subscriber {
  /**
   * Declares what the group needs at the broker and starts to deliver. Resolves when the group is declared: what is published from then on
   * reaches it. `receive` is called concurrently, up to `concurrency`. Lost connections and cancelled consumers come back by themselves;
   * nothing unsettled is lost, it is delivered again.
   *
   * @throws CapabilityError when the transport cannot do what the subscription asks, before anything is declared.
   */
  subscribe(subscription: Subscription, receive: Receive): Promise<ActiveSubscription>;
}

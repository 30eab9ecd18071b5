import type { FailureRecord } from '../reliability/dead-letter-sink';
import type { Message } from '../message/message';
import type { Capabilities } from './capabilities';
import type { Publisher } from './publisher';
import type { Subscriber } from './subscriber';

export interface TransportHealth {
  readonly up: boolean;
  /** One line for a person: what is connected, or what is being tried since when. */
  readonly detail: string;
}

/** A broker behind one face: a publisher, a subscriber, and what it can do. */
export interface Transport extends Publisher, Subscriber {
  /** The kind, as `rabbitmq`; for logs, metrics and the conformance table. */
  readonly kind: string;
  /** Frozen. */
  readonly capabilities: Capabilities;
  /**
   * Connects. Safe twice and concurrently. Rejects when no address answers within the connect time-out: a wrong address is a deployment's
   * mistake. Once connected, it keeps itself connected until `close`.
   */
  connect(): Promise<void>;
  /** Stops the subscriptions that still run, waits for publishes in flight, disconnects. Safe twice, concurrently, and before `connect`. */
  close(): Promise<void>;
  health(): TransportHealth;
}

/** Optional power: read what the transport filed as dead (settlement `reject`). */
export interface NativeDeadLetters {
  /** The oldest `limit` dead letters of a group, left where they are. */
  nativeDeadLetters(topic: string, group: string, limit: number): Promise<readonly NativeDeadLetter[]>;
}

export interface NativeDeadLetter {
  readonly message: Message;
  readonly reason: string;
  readonly attempts: number;
  /** What the broker tells of how it came there, oldest first. */
  readonly failures?: readonly FailureRecord[];
}

/** Optional power: hands over what was filed as dead at the broker, by itself or by settlement, to be kept elsewhere. */
export interface DeadLetterSource {
  /**
   * Calls `bury` for each dead letter of the group, one at a time, oldest first, until it is stopped. A letter leaves the broker when `bury` has
   * resolved, not before; when it rejects, it is called again with back-off. A crash in between calls it again with the same letter: `bury` must be
   * idempotent.
   */
  takeDeadLetters(
    topic: string,
    group: string,
    bury: (letter: NativeDeadLetter) => Promise<void>,
  ): Promise<{ readonly stop: () => Promise<void> }>;
}

/** Optional power: says whether a topic reaches a group, so that a publisher can insist on it. A confirm tells only that some group was reached. */
export interface GroupDirectory {
  /** True when the group was declared and what is published waits for it, also while none of its consumers runs. Declares nothing. Rejects when the broker is away. */
  hasGroup(topic: string, group: string): Promise<boolean>;
}

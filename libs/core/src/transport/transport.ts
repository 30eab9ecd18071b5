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
}

/** Optional power: says which groups a topic reaches, so that a contract can insist on them at start. */
export interface GroupDirectory {
  groupsOf(topic: string): Promise<readonly string[]>;
}

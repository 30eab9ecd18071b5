import type { Message, OutgoingMessage } from '../message/message';

/** The message that an ordered key waits for, by the identity that its dead letter has. */
export interface ParkedHead {
  readonly direction: 'inbound' | 'outbound';
  /** As the dead letter's: the group that gave up on it, or the destination's name. */
  readonly place: string;
  readonly message: Message;
}

/** Keys that wait for a failed head (ARCHITECTURE.md, "parked key"), for whoever decides what becomes of that head. */
export interface KeyParking {
  /**
   * Lets the key of a dead-lettered head go on.
   *
   * - `again`: the head is handled (inbound) or published (outbound) once more, in the generation and bucket of `message`, before its followers.
   * - `discard`: its followers go on without it.
   *
   * Answers `resumed` when that is durable, and again for each further call for the same head until it is settled; `not-parked` when no such head
   * holds a key: publish it as usual. Any number of calls at once, from any process. Rejects when the store is away; then ask again.
   */
  resume(
    head: ParkedHead,
    how: { readonly kind: 'again'; readonly message: Message } | { readonly kind: 'discard' },
  ): Promise<'resumed' | 'not-parked'>;
}

/**
 * Where a relay lets the keys of a destination wait behind a message that cannot be published. Any number of calls at once; each resolves when it is
 * durable, and rejects when the store is away.
 */
export interface DestinationParking {
  /** Does any key wait there? */
  anyParked(place: string): Promise<boolean>;
  /** Parks the key of a message that is a dead letter now. `full`: not parked, for too many keys of the destination are; its key must not go on. */
  parkDead(place: string, head: OutgoingMessage, reason: string): Promise<'parked' | 'full'>;
  /**
   * Puts each message behind its key's head, in the order given. `free`: its key is not parked, publish it. `parked`: it waits, and is done for the
   * relay; a copy waits once. `full`: too many wait; it must not be published yet.
   */
  follow(place: string, messages: readonly OutgoingMessage[]): Promise<readonly ('free' | 'parked' | 'full')[]>;
}

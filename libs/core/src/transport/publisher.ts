import type { OutgoingMessage } from '../message/message';

/**
 * Why a message was not published.
 * - `transient`: the broker is away, busy or refused for now; publishing again may succeed.
 * - `unroutable`: the broker took it and no queue did. Again later may succeed, once somebody listens.
 * - `too-large`, `refused`: publishing the same bytes again will fail again.
 */
export type PublishFailure = 'transient' | 'unroutable' | 'too-large' | 'refused';

export type PublishResult =
  | { readonly outcome: 'confirmed' }
  | { readonly outcome: 'failed'; readonly reason: PublishFailure; readonly error: Error };

export const confirmed: PublishResult = Object.freeze({ outcome: 'confirmed' });
export const failed = (reason: PublishFailure, error: Error): PublishResult => ({ outcome: 'failed', reason, error });

/** The way out. Every pattern that sends is a decorator of this one method. */
export interface Publisher {
  /**
   * Publishes all messages and resolves when the broker has answered for each of them: one result a message, in the order given.
   * `confirmed` means durable as far as the transport's capabilities say, and routed to at least one queue.
   *
   * Concurrent calls are allowed; messages of one key keep their order within a call, and between calls when the second starts after the first
   * resolved. Not idempotent: publishing twice delivers twice. Rejects only for a programmer's mistake (a closed transport, a capability that
   * it does not have); whatever the broker or the network does is a result.
   */
  publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]>;
}

import type { MessageContract } from '../message/contract';
import type { BatchLimits, Subscription } from '../transport/subscriber';
import type { MessageContext } from './message-context';
import type { RetryBudget } from './retry-budget';
import type { RetryPolicy } from './retry-policy';

/**
 * What a subscription promises its handler.
 * - `effectivelyOnce`: the inbox row and the effect commit together; a copy does not run the handler.
 * - `atLeastOnce`: no inbox; the handler meets copies.
 * - `atMostOnce`: accepted before the handler runs; a crash loses the message.
 */
export type DeliveryLevel = 'atMostOnce' | 'atLeastOnce' | 'effectivelyOnce';

/**
 * What an ordered key does when one of its messages fails.
 * - `park`: its messages wait durably, acknowledged at the broker; past the limit its head is a dead letter, and they wait for its redrive.
 * - `block`: its messages wait at the broker, for as long as it takes: nothing of the key is given up, and it holds its consumer's prefetch.
 * - `skip`: past the limit its head is given up, and they go on without it.
 */
export type OnFailure = 'park' | 'block' | 'skip';

/** One handler, whoever found it: Nest's decorators, or a program without Nest. */
export interface HandlerDefinition {
  /** For logs and dead letters, as `RankGiftHandler.rank`. */
  readonly name: string;
  readonly contract: MessageContract<unknown, never>;
  readonly subscription: Subscription;
  /** The transport's name. */
  readonly transport: string;
  /** The store whose transaction the handler runs in. */
  readonly store: string;
  readonly level: DeliveryLevel;
  readonly retry: RetryPolicy;
  /** Undefined: retries as the policy says. With one nothing is retried at once: each retry waits for its token. */
  readonly retryBudget?: RetryBudget;
  /** What the handler may take, in milliseconds; then the attempt has failed. Undefined: as long as it likes. */
  readonly timeoutMs?: number;
  /** Undefined: unordered, or `skip`. */
  readonly onFailure?: OnFailure;
  /** It shares a transaction with the messages that were handed over with it: whoever opens that one files them in the inbox. */
  readonly batch?: BatchLimits;
  /** It answers requests: what `invoke` resolves with is the answer, never a settlement. */
  readonly reply?: MessageContract<unknown, never>;
  /** Runs the user's code with the decoded payload. Resolves with a settlement of its own; with anything else for `accept`. */
  readonly invoke: (payload: unknown, context: MessageContext) => Promise<unknown>;
}

import type { Clock, Middleware } from '@tidings/core';
import type { UnsentMessage } from '@tidings/outbox';
import type { MessagingOptions } from './messaging.options';

/** What a testing kit has looked at of a store in memory. */
export interface WatchedLog {
  readonly unsent: readonly UnsentMessage[];
  onAppended(listener: (appended: readonly UnsentMessage[]) => void): () => void;
}

/** What a testing kit puts in the place of clock, brokers and databases of an application, whose modules stay as they are. */
export interface MessagingSubstitutes {
  readonly clock: Clock;
  /** The options to go by, in place of those that the application gave. */
  optionsFor(given: MessagingOptions): MessagingOptions;
  /** Around all others: sees each delivery and what becomes of it. */
  readonly outermost: Middleware;
  /** Beside the handler: is called when the handler is about to run. */
  readonly innermost: Middleware;
  /** Told of each store in memory, once, before anything is published. */
  watch(store: string, log: WatchedLog): void;
}

/** Provided by a global module, and by a testing kit only; without it an application runs as its options say. */
export const MESSAGING_SUBSTITUTES = 'Tidings substitutes';

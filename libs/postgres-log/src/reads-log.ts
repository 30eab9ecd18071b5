import type { Store } from '@tidings/core';

/** A transport whose subscriptions may read the very log that an outbox writes: then nothing is relayed and nothing is copied. */
export interface ReadsLog {
  /** The namespace under which it reads this store's log; undefined when it reads another one, so that a relay must copy. */
  logNamespace(store: Store): string | undefined;
}

export const readsLog = (transport: object): transport is ReadsLog =>
  'logNamespace' in transport && typeof transport.logNamespace === 'function';

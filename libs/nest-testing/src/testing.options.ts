import type { MemoryStoreOptions } from '@tidings/core';

export interface TidingsTestingOptions {
  /** What handlers and services find in a transaction, as `(transaction) => ({ manager: new FakeManager(transaction) })`. Default nothing. */
  readonly handles?: NonNullable<MemoryStoreOptions['handles']>;
  /** Where the time begins, RFC 3339. Default: now. */
  readonly now?: string;
}

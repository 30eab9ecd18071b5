import { AsyncLocalStorage } from 'node:async_hooks';
import type { MemoryStoreOptions, MemoryTransaction } from '@tidings/core';

/** Knows the transaction that code runs in: `outbox.publish(…)` without `within` joins it. */
export function ambientTransaction(): NonNullable<MemoryStoreOptions['ambient']> {
  const storage = new AsyncLocalStorage<MemoryTransaction>();
  return {
    current: () => storage.getStore(),
    enter: (transaction, work) => storage.run(transaction, work),
  };
}

import type { Store } from '@tidings/core';

/** The channel that wakes releasers; 63 bytes at most, as any identifier. */
export const resumedChannel = (store: Pick<Store, 'schema'>): string => `tidings parked ${store.schema}`.slice(0, 60);

import type { Store } from '@tidings/core';

/** The channel that wakes redrive workers; 63 bytes at most, as any identifier. */
export const redriveChannel = (store: Pick<Store, 'schema'>): string => `tidings redrive ${store.schema}`.slice(0, 60);

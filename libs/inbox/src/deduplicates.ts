import type { HandlerDefinition } from '@tidings/core';

/** Does the inbox remember what this handler has handled? Not of a broadcast: each process is to get its copy. */
export const deduplicates = ({ level, subscription }: HandlerDefinition): boolean =>
  level === 'effectivelyOnce' && !subscription.broadcast;

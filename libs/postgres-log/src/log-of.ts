import { type Clock, type Store, type TidingsLogger } from '@tidings/core';
import { MessageLog } from './message-log';

const logs = new WeakMap<Store, MessageLog>();

/**
 * The log of a store: one a store object, shared by whoever uses it, so that a publisher wakes the readers of its own process directly. (A map from
 * store to log, not a global: two applications have two stores.)
 */
export function logOf(store: Store, clock: Clock, logger: TidingsLogger): MessageLog {
  let log = logs.get(store);
  if (!log) logs.set(store, (log = new MessageLog(store, { clock, logger })));
  return log;
}

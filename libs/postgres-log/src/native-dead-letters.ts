import type { NativeDeadLetter, Store } from '@tidings/core';
import type { LoggedMessage } from './log-reader';
import { insertNativeDeadLetter } from './sql/insert-native-dead-letter';
import { listNativeDeadLetters } from './sql/list-native-dead-letters';

/** Files a rejected message of a reader; durable when it resolves. Filing twice after a crash keeps one. */
export const fileDeadLetter = (
  store: Store,
  reader: number,
  logged: LoggedMessage,
  attempts: number,
  reason: string,
): Promise<void> => insertNativeDeadLetter(store, reader, logged, attempts, reason);

/** The oldest dead letters of a group. */
export const readDeadLetters = (
  store: Store,
  transport: string,
  topic: string,
  group: string,
  limit: number,
): Promise<NativeDeadLetter[]> => listNativeDeadLetters(store, transport, topic, group, limit);

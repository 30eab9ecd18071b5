import type { Message } from '@tidings/core';

/** A message on its way into the log. */
export interface LogEntry {
  readonly message: Message;
  /** From `MessageLog.destination`. */
  readonly destination: number;
  /** New here: time and bucket are the database's. Else the message keeps its own (a retry, a redrive, a copy from another log). */
  readonly fresh: boolean;
  readonly attempts: number;
  readonly optional: boolean;
  /** Not before this many milliseconds from now, by the database's clock. 0: at once. */
  readonly delayMs: number;
}

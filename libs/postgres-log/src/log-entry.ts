import type { Message, Stamp } from '@tidings/core';

/** A message on its way into the log. */
export interface LogEntry {
  readonly message: Message;
  /** From `MessageLog.destination`. */
  readonly destination: number;
  /** New here: time and bucket are the database's. Else the message keeps its own (a retry, a redrive, a copy from another log). */
  readonly fresh: boolean;
  readonly attempts: number;
  /** Of the relay that copies it from another log. */
  readonly stamp?: Stamp | undefined;
  readonly optional: boolean;
  /** Not before this many milliseconds from now, by the database's clock. 0: at once. */
  readonly delayMs: number;
  /** Not before this instant (RFC 3339), by the database's clock; wins over `delayMs`. */
  readonly dueAt?: string | undefined;
}

export const isForLater = ({ delayMs, dueAt }: LogEntry): boolean => delayMs > 0 || dueAt !== undefined;

/** What nobody has tried, redriven or copied: nearly every publish. */
export const isUntried = ({ fresh, attempts, stamp, message: { generation } }: LogEntry): boolean =>
  fresh && attempts === 0 && generation === 0 && stamp === undefined;

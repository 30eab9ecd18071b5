import { TidingsError } from '@tidings/core';

/** Somebody removed the reader while its process slept, or an operator did. */
export class LogReaderGoneError extends TidingsError {
  constructor(readonly reader: string) {
    super(
      'TIDINGS_LOG_READER_GONE',
      `reader ${reader} of the log: expected it registered, found it removed; it joins again by itself, and gets what is published from then on`,
    );
  }
}

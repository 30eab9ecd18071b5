import { TidingsError } from '@tidings/core';

/** The application was still at work when the time was over. */
export class NotSettledError extends TidingsError {
  constructor(
    timeoutMs: number,
    /** One line for each thing that is pending. */
    readonly pending: readonly string[],
  ) {
    super(
      'TIDINGS_NOT_SETTLED',
      `expected nothing in flight, nothing unsent and nothing waiting for a handler after ${timeoutMs} ms, found\n${pending.map((line) => `  - ${line}`).join('\n')}`,
    );
  }
}

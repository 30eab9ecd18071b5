import { TidingsError } from '@tidings/core';

/** A letter cannot be redriven from this process. */
export class RedriveError extends TidingsError {
  constructor(
    readonly letter: string,
    readonly transport: string,
  ) {
    super(
      'TIDINGS_REDRIVE',
      `dead letter ${letter}: expected transport ${transport}, on which it failed, found none of that name; redrive it in a process that has it`,
    );
  }
}

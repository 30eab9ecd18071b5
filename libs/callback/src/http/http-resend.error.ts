import { TidingsError } from '@tidings/core';

/** A sender could not be asked by HTTP, or refused the question, or its answer cannot be believed. Nothing is known then: it is asked again later. */
export class HttpResendError extends TidingsError {
  constructor(
    /** The service that was asked. */
    readonly source: string,
    /** Of its answer; undefined when there was none. */
    readonly status: number | undefined,
    problem: string,
    options?: ErrorOptions,
  ) {
    super('TIDINGS_HTTP_RESEND', `asking ${source} to send again: ${problem}`, options);
  }
}

import { asError } from '@tidings/core';
import { BadRequestException, ForbiddenException, NotFoundException, PayloadTooLargeException, RequestHeaderFieldsTooLargeException, UnauthorizedException, UnsupportedException } from 'rocketmq-client-nodejs'; // prettier-ignore

/** What became of a call that failed: the broker is `away`, does not know the topic or group, or answered that this cannot be. */
export type CallFailure = 'away' | 'unknown' | 'too-large' | 'refused';

const isOf = (error: Error, ...classes: readonly (abstract new (...args: never[]) => Error)[]): boolean =>
  classes.some((one) => error instanceof one);

export function callFailureOf(thrown: unknown): CallFailure {
  const error = asError(thrown);
  if (isOf(error, NotFoundException)) return 'unknown';
  if (isOf(error, PayloadTooLargeException, RequestHeaderFieldsTooLargeException)) return 'too-large';
  if (isOf(error, BadRequestException, ForbiddenException, UnauthorizedException, UnsupportedException, TypeError))
    return 'refused';
  return 'away';
}

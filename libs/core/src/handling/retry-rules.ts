import { ContractError, NewerVersionError, NonRetriableError } from '../errors';
import type { RetryBackoff, RetryOptions } from './retry-options';

// A class may have any constructor, and a private one; only its prototype is looked at.
export type ErrorClass = abstract new (...args: never[]) => Error;
/** An error class (subclasses included) or a predicate. */
export type ErrorMatch = ErrorClass | ((error: Error) => boolean);

/** What to do about some errors: other numbers than the policy's, or `never`: no retry can mend it. */
export type RetryRule = readonly [ErrorMatch, RetryBackoff | 'never'];

const isClass = (match: ErrorMatch): match is ErrorClass =>
  match === Error || (match as { prototype?: unknown }).prototype instanceof Error;

export const matches = (match: ErrorMatch, error: Error): boolean =>
  isClass(match) ? error instanceof match : match(error);

export const nameOfMatch = (match: ErrorMatch): string => match.name || 'a predicate';

const neverRetriable = (error: Error): boolean =>
  error instanceof NonRetriableError || error instanceof ContractError || error instanceof NewerVersionError;

/** The rule for an error: the first that matches, `undefined` where the policy's own numbers hold. Contract errors and `NonRetriableError` are `never`, whatever rules say. */
export function ruleFor(
  error: Error,
  { on = [], nonRetriable }: Pick<RetryOptions, 'on' | 'nonRetriable'>,
): RetryRule[1] | undefined {
  if (neverRetriable(error) || nonRetriable?.(error)) return 'never';
  return on.find(([match]) => matches(match, error))?.[1];
}

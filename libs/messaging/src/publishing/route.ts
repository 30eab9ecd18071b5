import { OptionsError } from '@tidings/core';

/** Contracts whose type matches go to these transports, to the contract's topic there. Made by `route(pattern).to(…)`. */
export class Route {
  readonly #matcher: RegExp;

  constructor(
    readonly pattern: string,
    readonly transports: readonly string[],
  ) {
    this.#matcher = matcherOf(pattern);
  }

  matches(type: string): boolean {
    return this.#matcher.test(type);
  }
}

/**
 * Begins a route. In the pattern `*` stands for one segment of the type (`gift.*` is `gift.sent`, not `gift.sent.late`) and `#` at the end for any
 * number of segments (`gift.#` is `gift`, `gift.sent` and `gift.sent.late`), as in AMQP. `#` or `*` alone is every type. Of several routes that
 * match a type the first one counts: name the special ones first.
 *
 * @throws OptionsError for a pattern that could never match as it was meant.
 */
export const route = (
  pattern: string,
): {
  /** Every transport named gets a copy. */
  to(transport: string, ...more: string[]): Route;
} => ({ to: (...transports) => new Route(pattern, transports) });

const LITERAL = /^[^*#\s]+$/;

function matcherOf(pattern: string): RegExp {
  const fail = (problem: string): never => {
    throw new OptionsError(`route(${JSON.stringify(pattern)})`, problem);
  };
  if (pattern === '*' || pattern === '#') return /^/;
  const segments = pattern.split('.');
  const parts = segments.map((segment, index) => {
    if (segment === '*') return '\\.[^.]+';
    if (segment === '#')
      return index === segments.length - 1 ? '(?:\\..+)?' : fail('expected # at the end only, found it before');
    if (!LITERAL.test(segment))
      fail('expected segments between dots, each a word, * or # (at the end); found another form');
    return `\\.${segment.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}`;
  });
  return new RegExp(`^${parts.join('').replace(/^\\\./, '')}$`);
}

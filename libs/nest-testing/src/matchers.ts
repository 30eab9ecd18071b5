import type { Message, MessageContract } from '@tidings/core';
import type { TidingsHarness } from './tidings-harness';

/** What Jest and Vitest give to a matcher. */
interface MatcherContext {
  readonly isNot?: boolean;
  readonly equals: (this: void, a: unknown, b: unknown) => boolean;
  readonly utils: { readonly stringify: (this: void, value: unknown) => string };
}

interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

type Contract = MessageContract<unknown, never>;

/** For `expect.extend(tidingsMatchers)`, of Jest and of what is like it. All are asynchronous: `await expect(harness).toHavePublished(…)`. */
export const tidingsMatchers = {
  async toHavePublished(this: MatcherContext, harness: TidingsHarness, contract: Contract, payload?: unknown) {
    const found = (await harness.published(contract)).map((one) => one.payload);
    const others = (await harness.published()).map(({ message }) => message);
    return resultOf(this, { verb: 'published', contract, expected: payload, found, others });
  },

  async toHaveHandled(this: MatcherContext, harness: TidingsHarness, contract: Contract, payload?: unknown) {
    const found = (await harness.handled(contract)).map((one) => one.payload);
    const others = (await harness.handled()).map(({ message }) => message);
    return resultOf(this, { verb: 'handled', contract, expected: payload, found, others });
  },

  async toHaveBuried(this: MatcherContext, harness: TidingsHarness, contract: Contract, reason?: unknown) {
    const found = (await harness.buried(contract)).map((one) => one.reason);
    const others = (await harness.buried()).map(({ message }) => message);
    return resultOf(this, { verb: 'buried', contract, expected: reason, found, others });
  },
};

interface Told {
  readonly verb: string;
  readonly contract: Contract;
  readonly expected: unknown;
  /** Of the contract. */
  readonly found: readonly unknown[];
  /** Of any contract. */
  readonly others: readonly Message[];
}

function resultOf(
  { equals, isNot, utils }: MatcherContext,
  { verb, contract, expected, found, others }: Told,
): MatcherResult {
  const print = (value: unknown): string => utils.stringify(value);
  const pass = found.some((one) => expected === undefined || equals(one, expected));
  return {
    pass,
    message: () => {
      const wanted = expected === undefined ? contract.type : `${contract.type} with ${print(expected)}`;
      const [first, ...more] = found.length > 0 ? found.map((one) => `  ${contract.type} ${print(one)}`) : others.map(({ type, id }) => `  ${type} ${id}`); // prettier-ignore
      const instead = first === undefined ? 'nothing' : `\n${[first, ...more].join('\n')}`;
      return `expected ${isNot ? `no ${wanted}` : wanted} to have been ${verb}, found ${instead}`;
    },
  };
}

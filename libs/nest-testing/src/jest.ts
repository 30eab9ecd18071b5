import type { MessageContract } from '@tidings/core';
import { tidingsMatchers } from './matchers';

/** Importing this file registers the matchers with the global `expect` of Jest. Elsewhere: `expect.extend(tidingsMatchers)`. */
export interface TidingsMatchers<Result> {
  /** A message of the contract was published; with this payload, when one is given (asymmetric matchers count). */
  toHavePublished<Payload>(contract: MessageContract<Payload, never>, payload?: unknown): Promise<Result>;
  /** A handler of any group took one in, with effect. */
  toHaveHandled<Payload>(contract: MessageContract<Payload, never>, payload?: unknown): Promise<Result>;
  /** One is a dead letter that waits for somebody; for this reason, when one is given. */
  toHaveBuried<Payload>(contract: MessageContract<Payload, never>, reason?: unknown): Promise<Result>;
}

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- @types/jest is one
  namespace jest {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars -- merges with that of @types/jest
    interface Matchers<R, T = {}> extends TidingsMatchers<R> {}
  }
}

const { expect } = globalThis as unknown as { expect: { extend(matchers: object): void } };
expect.extend(tidingsMatchers);

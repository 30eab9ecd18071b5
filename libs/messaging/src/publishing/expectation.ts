import type { MessageContract } from '@tidings/core';

/** Groups that every message of a contract must reach. */
export interface Expectation {
  readonly contract: MessageContract<unknown, never>;
  /** By name; not those of broadcast handlers, of which nothing is kept while they are away. */
  readonly groups: readonly string[];
}

/** A group that messages do not reach: what is published now is lost to it. */
export interface MissingGroup {
  readonly contract: string;
  readonly transport: string;
  readonly topic: string;
  readonly group: string;
}

import type { Message } from '@tidings/core';

/**
 * Chooses the store of a message. It must be pure: copies, retries and redrives ask again, and another answer would be another inbox, which knows
 * nothing of the first. For an ordered subscription it must go by the key: a message that it leads to
 * another shard than the one before of its key goes to the dead letters.
 */
export type StoreOf = ((message: Message) => string) & {
  /** What it may answer, checked at start. */
  readonly among?: readonly string[];
};

/**
 * A store function that says at start what it may answer, so that a misspelt shard fails the boot:
 * `@OnMessage(GiftSent, { group: 'ranking', store: sharded(['east', 'west'], (message) => shardOf(message.key)) })`.
 */
export const sharded = (stores: readonly string[], of: (message: Message) => string): StoreOf =>
  Object.assign((message: Message) => of(message), { among: [...stores] });

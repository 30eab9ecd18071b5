import { createHash } from 'node:crypto';
import { type DeadLetter, fingerprintOf } from '@tidings/core';

/** What tells one letter from another: where it failed, and which message at which generation. */
export type LetterIdentity = Pick<DeadLetter, 'direction' | 'place' | 'group' | 'message'>;

/**
 * The same for every burial of the same message at the same place and generation, in whatever process. The content is part of it: two messages with
 * one id and different contents are a conflict, and each must be filed. The transport is not: a group that moves between brokers has one letter.
 */
export function letterKeyOf({ direction, place, group = '', message }: LetterIdentity): Buffer {
  const names = [direction, place, group, message.topic, message.source, message.id, message.generation];
  return createHash('sha256').update(JSON.stringify(names)).update(fingerprintOf(message)).digest();
}

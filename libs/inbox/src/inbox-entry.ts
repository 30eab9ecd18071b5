import { createHash } from 'node:crypto';
import { fingerprintOf, type Message, type Subscription } from '@tidings/core';

/** What the inbox remembers of a message: its key, and the content it had. */
export interface InboxEntry {
  /** `group@topic`. The transport is no part of it: a group that moves from one broker to another still knows what it has handled. */
  readonly subscription: string;
  /** Of source and id. */
  readonly digest: Buffer;
  readonly generation: number;
  /** YYYY-MM-DD as the message says, unchecked; null on a foreign message. */
  readonly bucket: string | null;
  readonly fingerprint: Buffer;
}

/**
 * Half of a SHA-256. With 10^9 messages in a bucket two of them collide with a probability below 10^-20, and even then nothing is lost: their
 * fingerprints differ, so the second one is dead-lettered as a conflict instead of being taken for a copy. Whoever makes a collision on purpose
 * (2^64 tries) fools only himself, for his source's name is hashed with it. It halves the widest column of an index that every message writes.
 */
const STORED_BYTES = 16;

/** Ids are any string of any length: the digest makes them 16 bytes. */
export const digestOf = ({ source, id }: Pick<Message, 'source' | 'id'>): Buffer =>
  createHash('sha256').update(`${source}\0${id}`).digest().subarray(0, STORED_BYTES);

export const inboxEntryOf = (subscription: Pick<Subscription, 'group' | 'topic'>, message: Message): InboxEntry => ({
  subscription: `${subscription.group}@${subscription.topic}`,
  digest: digestOf(message),
  generation: message.generation,
  bucket: message.bucket,
  fingerprint: fingerprintOf(message).subarray(0, STORED_BYTES),
});

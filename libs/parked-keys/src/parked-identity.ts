import { createHash } from 'node:crypto';
import { fingerprintOf, type Message } from '@tidings/core';

export type Direction = 'inbound' | 'outbound';

/** Where a key is parked: messages of one key wait at each place by themselves. */
export interface ParkedPlace {
  readonly direction: Direction;
  /** `group@topic`, or `transport/topic`. */
  readonly place: string;
}

/** As the dead letters keep text, which PostgreSQL could not store otherwise; a redrive's message comes from there. */
export const storable = (text: string): string => Buffer.from(text, 'utf8').toString('utf8').replaceAll('\0', '\uFFFD');

const sha256 = (...parts: readonly (string | number)[]): Buffer =>
  createHash('sha256').update(JSON.stringify(parts)).digest();

/** What a key is looked up by: it may be longer than an index entry. */
export const identityOf = ({ direction, place }: ParkedPlace, key: string): Buffer =>
  sha256(direction, storable(place), storable(key));

/** Of a message in all its generations. */
export const originOf = ({ source, id }: Pick<Message, 'source' | 'id'>): Buffer =>
  sha256(storable(source), storable(id));

/** The same for copies. With the content: one id with two contents is a conflict, and neither may vanish as a copy of the other. */
export const digestOf = (message: Message): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([storable(message.source), storable(message.id), message.generation]))
    .update(fingerprintOf(message))
    .digest();

/** A subscription's place; a group that moves between transports keeps its parked keys. */
export const inboundPlace = ({ group, topic }: { readonly group: string; readonly topic: string }): ParkedPlace => ({
  direction: 'inbound',
  place: `${group}@${topic}`,
});

/** A destination's place, as its dead letters have it. */
export const outboundPlace = (place: string): ParkedPlace => ({ direction: 'outbound', place });

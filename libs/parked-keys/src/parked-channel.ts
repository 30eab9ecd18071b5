import type { Store } from '@tidings/core';
import type { Direction } from './parked-identity';

/** The channel that tells processes of keys; 63 bytes at most, as any identifier. Two schemas of one long beginning wake each other for nothing. */
export const parkedChannel = (store: Pick<Store, 'schema'>): string => `tidings parked ${store.schema}`.slice(0, 60);

/** What is told of a key that is parked, due in so many milliseconds, or dead. */
export const parkedNotice = (direction: Direction, inMs: number | undefined): string =>
  `${direction} ${inMs === undefined ? 'dead' : Math.ceil(inMs)}`;

/**
 * In how many milliseconds a releaser of the direction is to look; undefined: it is not meant. Now after a lost connection (no payload), and for a
 * resumed key (its direction alone).
 */
export function dueInMs(direction: Direction, payload: string | undefined): number | undefined {
  const [meant, inMs = '0'] = payload?.split(' ') ?? [direction];
  return meant === direction && inMs !== 'dead' ? Number(inMs) : undefined;
}

import { timestampOf } from '@tidings/core';
import type { UserActed } from './user-acted';

export const WINDOW_MS = 60_000;

/** Events of one action in one window. */
export interface WindowCount {
  readonly beginMs: number;
  readonly action: string;
  readonly events: number;
}

/** By the events' own times; in one order for everybody: who locks rows in it never waits in a circle. */
export function windowCounts(events: readonly Pick<UserActed, 'action' | 'atMs'>[]): WindowCount[] {
  const counts = new Map<string, WindowCount>();
  for (const { action, atMs } of events) {
    const beginMs = Math.floor(atMs / WINDOW_MS) * WINDOW_MS;
    const id = idOf({ beginMs, action });
    counts.set(id, { beginMs, action, events: (counts.get(id)?.events ?? 0) + 1 });
  }
  return [...counts.values()].sort((a, b) => a.beginMs - b.beginMs || a.action.localeCompare(b.action));
}

/** Where the two differ, a line each; none: they are the same. */
export function differences(sent: readonly WindowCount[], counted: readonly WindowCount[]): string[] {
  const [wanted, found] = [sent, counted].map((counts) => new Map(counts.map((count) => [idOf(count), count.events])));
  return [...new Set([...wanted!.keys(), ...found!.keys()])]
    .filter((id) => wanted!.get(id) !== found!.get(id))
    .map((id) => `${id}: expected ${wanted!.get(id) ?? 0}, found ${found!.get(id) ?? 0}`);
}

const idOf = ({ beginMs, action }: Pick<WindowCount, 'beginMs' | 'action'>): string =>
  `${timestampOf(beginMs)} ${action}`;

import { type Clock, systemClock } from '@tidings/core';
import type { Progress } from './sql/measure-progress';

export interface SettlingOptions {
  /** Settled gifts, summed over the groups, at which all is done. */
  readonly target: number;
  readonly measure: () => Promise<Progress>;
  /** Without any progress for so long, nothing more is expected. Longer than a dead process keeps its lanes. */
  readonly idleMs: number;
  /** While it says so, an app is being restarted, and nothing moving means nothing. */
  readonly restarting: () => boolean;
  /** In all. */
  readonly withinMs: number;
  readonly clock?: Clock;
}

export type Settling = 'settled' | 'stuck' | 'late';

const EVERY_MS = 150;

/** Waits until everything is settled, or nothing moves any more, or time is over. */
export async function waitUntilSettled(options: SettlingOptions): Promise<Settling> {
  const { target, measure, idleMs, restarting, withinMs, clock = systemClock } = options;
  const begin = clock.monotonic();
  let [lastRow, movedAt] = [-1, begin];
  for (;;) {
    const progress = await measure();
    const now = clock.monotonic();
    if (progress.settled >= target) return 'settled';
    if (progress.lastRow !== lastRow || restarting()) [lastRow, movedAt] = [progress.lastRow, now];
    if (now - movedAt > idleMs) return 'stuck';
    if (now - begin > withinMs) return 'late';
    await clock.wait(EVERY_MS);
  }
}

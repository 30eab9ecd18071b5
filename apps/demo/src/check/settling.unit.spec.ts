import type { Clock } from '@tidings/core';
import { waitUntilSettled } from './settling';
import type { Progress } from './sql/measure-progress';

/** Time that passes only by waiting. */
const steppingClock = (): Clock => {
  let now = 0;
  return { now: () => now, monotonic: () => now, wait: async (ms) => void (now += ms) };
};

const options = { target: 10, idleMs: 1_000, withinMs: 60_000, restarting: () => false };
const measuring = (at: (turn: number) => Progress) => {
  let turn = 0;
  return async () => at(turn++);
};

describe('waitUntilSettled', () => {
  it('ends when everything is settled', async () => {
    const measure = measuring((turn) => ({ settled: turn, lastRow: turn }));
    expect(await waitUntilSettled({ ...options, measure, clock: steppingClock() })).toBe('settled');
  });

  it('ends when nothing moves any more', async () => {
    const measure = measuring((turn) => ({ settled: Math.min(turn, 4), lastRow: Math.min(turn, 4) }));
    expect(await waitUntilSettled({ ...options, measure, clock: steppingClock() })).toBe('stuck');
  });

  it('is patient while an app is restarted, and while only failures move', async () => {
    let turns = 0;
    const restarting = () => ++turns < 50;
    const measure = measuring((turn) => ({ settled: turn > 100 ? 10 : 0, lastRow: turn > 49 ? turn : 0 }));
    expect(await waitUntilSettled({ ...options, measure, restarting, clock: steppingClock() })).toBe('settled');
  });

  it('gives up in the end', async () => {
    const measure = measuring((turn) => ({ settled: 0, lastRow: turn }));
    expect(await waitUntilSettled({ ...options, measure, clock: steppingClock() })).toBe('late');
  });
});

import fc from 'fast-check';
import { delayLevel, MAX_DELAY_MS } from './delay-queues';

describe('delay levels', () => {
  it.each([
    [1, 10],
    [10, 10],
    [11, 12],
    [61, 80],
    [101, 120],
    [1_000, 1_000],
    [1_001, 1_200],
    [60_000, 60_000],
    [3_600_000, 4_000_000],
    [MAX_DELAY_MS, MAX_DELAY_MS],
  ])('a delay of %i ms waits %i', (delayMs, level) => expect(delayLevel(delayMs)).toBe(level));

  it('are never early, a third late at most, and few', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: MAX_DELAY_MS }), (delayMs) => {
        const level = delayLevel(delayMs);
        expect(level).toBeGreaterThanOrEqual(delayMs);
        expect(level).toBeLessThanOrEqual(delayMs * 1.34);
        expect(delayLevel(level)).toBe(level);
      }),
    );
    const levels = new Set<number>();
    for (let delayMs = 1; delayMs <= MAX_DELAY_MS; delayMs = delayLevel(delayMs) + 1) levels.add(delayLevel(delayMs));
    expect(levels.size).toBe(84);
  });
});

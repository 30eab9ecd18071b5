import { backoffMs } from './backoff';

describe('backoffMs', () => {
  it.each([
    [1, 5_000, 100],
    [2, 5_000, 200],
    [5, 5_000, 1_600],
    [7, 5_000, 5_000],
    [1_000, 5_000, 5_000],
    [1, 30, 30],
  ])('after %d failures, at most %d ms: between the half of %d ms and that', (failures, maxMs, most) => {
    for (let turn = 0; turn < 50; turn++) {
      const ms = backoffMs(failures, maxMs);
      expect(ms).toBeGreaterThanOrEqual(most / 2);
      expect(ms).toBeLessThanOrEqual(most);
    }
  });
});

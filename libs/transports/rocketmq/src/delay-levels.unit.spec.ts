import { ROCKETMQ_DELAY_LEVELS_MS } from './delay-levels';
import { MAX_DELAY_MS } from './rocketmq-publisher';

describe('the delay levels of RocketMQ 4', () => {
  it('are the 18 of messageDelayLevel, and none that RocketMQ 5 refuses', () => {
    const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 };
    const asConfigured = '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h'.split(' ');
    const expected = asConfigured.map((text) => Number.parseInt(text, 10) * units[text.at(-1) ?? '']!);
    expect(ROCKETMQ_DELAY_LEVELS_MS).toEqual(expected);
    expect(Math.max(...ROCKETMQ_DELAY_LEVELS_MS)).toBeLessThanOrEqual(MAX_DELAY_MS);
  });
});

const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000];

/** The 18 delays that RocketMQ 4 had (`messageDelayLevel`), in milliseconds, level 1 first: for whoever kept waits by level. RocketMQ 5 takes any delay. */
export const ROCKETMQ_DELAY_LEVELS_MS: readonly number[] = Object.freeze([
  ...[1, 5, 10, 30].map((count) => count * SECOND),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30].map((count) => count * MINUTE),
  ...[1, 2].map((count) => count * HOUR),
]);

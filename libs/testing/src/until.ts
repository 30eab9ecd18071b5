import { systemClock, TidingsError } from '@tidings/core';

/** Waits until `condition` holds, asking every few milliseconds; fails with `what` after the deadline. The only waiting that specs do. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { withinMs = 10_000, everyMs = 10 }: { withinMs?: number; everyMs?: number } = {},
): Promise<void> {
  const deadline = systemClock.monotonic() + withinMs;
  while (!(await condition())) {
    if (systemClock.monotonic() > deadline)
      throw new TidingsError('TIDINGS_TEST_DEADLINE', `not within ${withinMs} ms: ${what}`);
    await systemClock.wait(everyMs);
  }
}

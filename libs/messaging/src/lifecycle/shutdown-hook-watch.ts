import type { TidingsLogger } from '@tidings/core';

/** Long enough for `app.enableShutdownHooks()` after `NestFactory.createApplicationContext`, which boots before it returns. */
const GRACE_MS = 5_000;

/**
 * Warns of a worker that nobody will stop in order: without a listener for SIGTERM a deployment ends it in the middle of its messages. Nothing is
 * lost by that, but its messages wait for time-outs and come twice. Nest does not tell whether hooks are on; the process's listeners do.
 */
export function watchForShutdownHooks(logger: TidingsLogger, signal: AbortSignal): void {
  const timer = setTimeout(() => {
    if (process.listenerCount('SIGTERM') > 0) return;
    logger.warn(
      {},
      'nobody listens for SIGTERM: call app.enableShutdownHooks(), so that a stop drains handlers and hands lanes back',
    );
  }, GRACE_MS);
  timer.unref();
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}

import type { Middleware } from '@tidings/core';
import type { History } from '../history/history';

/**
 * Kills this process, as `kill -9` would, between a commit and its ack: the N-th accepted delivery's transaction has committed, its settlement has
 * not reached the transport. Whatever else is in flight is cut wherever it stands. The supervisor starts the process again without this.
 */
export function killMiddleware(afterAccepted: number, history: History): Middleware {
  let accepted = 0;
  return async (context, next) => {
    const settlement = await next();
    if (settlement.kind !== 'accept' || ++accepted !== afterAccepted) return settlement;
    await history.write('killed', context);
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined); // the signal takes a moment: nothing may be settled in it
  };
}

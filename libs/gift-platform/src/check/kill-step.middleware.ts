import type { Middleware } from '@tidings/core';
import { type KillStep, killThisProcess } from './kill-step';

/** Kills this process between a commit and its ack. Outermost, so that all of Tidings' own work on the message is done. */
export function killStepMiddleware({ step, type, nth }: KillStep): Middleware {
  let settled = 0;
  return async (context, next) => {
    const settlement = await next();
    if (step !== 'settled' || context.message.type !== type || settlement.kind !== 'accept') return settlement;
    return ++settled === nth ? killThisProcess() : settlement;
  };
}

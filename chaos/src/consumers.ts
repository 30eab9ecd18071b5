import { Inject, Injectable } from '@nestjs/common';
import { accept } from '@tidings/core';
import { clientOf } from '@tidings/database';
import { exponential, MessageContext, type Middleware, OnMessage, type PayloadOf } from '@tidings/messaging';
import type { HistoryFile } from './history';
import { AUDIT, isSabotaged, LEDGER, Moved, RETRY_MS } from './scene';

export const RANDOM = Symbol('random');

/** Handlers that fail after their effect: the effect must go with the transaction, and the retry must not overtake. */
const FAILING_SHARE = 0.01;

/**
 * As good as for ever: what a fault breaks must not end among the dead letters, where it would count as lost. RocketMQ counts deliveries itself and
 * takes no more than this (`groups.….deliveries`).
 */
const ATTEMPTS = 1_000;
const retry = exponential({
  attempts: ATTEMPTS,
  immediate: 0,
  delayMs: RETRY_MS[0],
  maxDelayMs: RETRY_MS[RETRY_MS.length - 1]!,
});

const level = isSabotaged('no-inbox') ? 'atLeastOnce' : 'effectivelyOnce';

async function apply(payload: PayloadOf<typeof Moved>, context: MessageContext, random: () => number): Promise<void> {
  await clientOf(context).query(
    'insert into chaos.effect (group_name, message, key, counter) values ($1, $2, $3, $4)',
    [context.handler.subscription.group, context.message.id, payload.key, payload.counter],
  );
  if (random() < FAILING_SHARE) throw new Error('a handler that fails now and then');
}

@Injectable()
export class LedgerHandler {
  constructor(@Inject(RANDOM) private readonly random: () => number) {}

  @OnMessage(Moved, { group: LEDGER, ordered: !isSabotaged('no-order'), retry, level })
  apply(payload: PayloadOf<typeof Moved>, context: MessageContext): Promise<void> {
    return apply(payload, context, this.random);
  }
}

@Injectable()
export class AuditHandler {
  constructor(@Inject(RANDOM) private readonly random: () => number) {}

  @OnMessage(Moved, { group: AUDIT, retry, level })
  apply(payload: PayloadOf<typeof Moved>, context: MessageContext): Promise<void> {
    return apply(payload, context, this.random);
  }
}

/** The outermost: tells of each delivery before anything else happens to it. */
export const deliveryHistory =
  (history: HistoryFile, random: () => number): Middleware =>
  async (context, next) => {
    history.write({ event: 'delivered', group: context.handler.subscription.group, message: context.message.id });
    if (isSabotaged('lossy') && random() < FAILING_SHARE) return accept;
    return next();
  };

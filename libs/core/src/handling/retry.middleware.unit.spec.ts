import { ManualClock, testMessage } from '@tidings/testing';
import { z } from 'zod';
import { RetryAfterError, TimeoutError } from '../errors';
import { silentLogger } from '../logger';
import { defineMessage } from '../message/contract';
import { systemClock } from '../scheduling/clock';
import { accept, attemptsIn, reject, retry, type Settlement } from '../transport/settlement';
import { DeliveryLanes } from './delivery-lanes';
import { dispatcher } from './dispatcher';
import type { HandlerDefinition } from './handler';
import type { Middleware } from './middleware';
import { exponential, fixed, never } from './retry-backoff';
import type { RetryPolicy } from './retry-policy';
import { retryMiddleware } from './retry.middleware';

const Gift = defineMessage('gift.sent', { schema: z.object({}).loose() });

const receiveOf = (
  policy: RetryPolicy,
  invoke: HandlerDefinition['invoke'],
  inner: Middleware[] = [],
  more: Partial<HandlerDefinition> = {},
) =>
  dispatcher(
    {
      name: 'RankGift.rank',
      contract: Gift,
      subscription: { topic: 'gift.sent', group: 'g', ordered: true, broadcast: false, concurrency: 1, from: 'now' },
      transport: 'main',
      store: 'default',
      level: 'atLeastOnce',
      retry: policy,
      invoke,
      ...more,
    },
    [retryMiddleware(new ManualClock()), ...inner],
    silentLogger,
  );

/** Delivers as a transport does, counting what counts, until it is no longer retried. */
async function untilSettled(policy: RetryPolicy, invoke: HandlerDefinition['invoke'], inner: Middleware[] = []) {
  const receive = receiveOf(policy, invoke, inner);
  const message = testMessage({ payload: {} });
  let settlement: Settlement;
  let attempt = 1;
  for (let deliveries = 1; ; deliveries++) {
    settlement = await receive({ message, attempt, redelivered: attempt > 1 }, new AbortController().signal);
    if (settlement.kind !== 'retry') return { settlement, deliveries };
    attempt += attemptsIn(settlement);
  }
}

describe('the retry middleware', () => {
  it.each([
    ['the default policy', exponential(), 5, 4],
    ['no immediate ones', fixed({ immediate: 0 }), 5, 5],
    ['several immediate ones', fixed({ immediate: 3 }), 5, 2],
    ['more immediate ones than attempts', fixed({ attempts: 2, immediate: 9 }), 2, 1],
    ['one attempt', fixed({ attempts: 1 }), 1, 1],
    ['none but the first', never(), 1, 1],
  ])('runs the handler as often as attempts say, no more: %s', async (_, policy, runs, expected) => {
    const attempts: number[] = [];
    const { settlement, deliveries } = await untilSettled(policy, async (_payload, context) => {
      attempts.push(context.attempt);
      throw new Error('still away');
    });
    expect(attempts).toEqual(Array.from({ length: runs }, (_unused, index) => index + 1));
    expect([settlement, deliveries]).toMatchObject([
      { kind: 'reject', reason: `failed ${runs} times, the last with: still away` },
      expected,
    ]);
  });

  it('runs it as often in the lanes of an ordered key, which try again in place', async () => {
    let runs = 0;
    const receive = receiveOf(fixed({ delayMs: 0 }), async () => {
      runs += 1;
      throw new Error('still away');
    });
    const lanes = new DeliveryLanes({ ordered: true, concurrency: 1 }, receive, systemClock);
    const delivery = { message: testMessage({ key: 'r', payload: {} }), attempt: 1, redelivered: false };
    await expect(lanes.run(delivery)).resolves.toMatchObject({ kind: 'reject' });
    expect(runs).toBe(5);
  });

  it.each([
    ['a time-out, for the handler may still be at work', new TimeoutError('RankGift.rank', 5)],
    ['an error that says when to come back', new RetryAfterError('429', 10)],
  ])('does not try at once after %s', async (_, thrown) => {
    let runs = 0;
    const receive = receiveOf(fixed({ immediate: 3 }), async () => {
      runs += 1;
      throw thrown;
    });
    const delivery = { message: testMessage({ payload: {} }), attempt: 1, redelivered: false };
    await expect(receive(delivery, new AbortController().signal)).resolves.toMatchObject({ kind: 'retry' });
    expect(runs).toBe(1);
  });

  it('counts a delivery in which the handler failed once and could not be reached the second time', async () => {
    let reached = 0;
    let asked = 0;
    const storeAway: Middleware = (_context, next) => {
      asked += 1;
      return asked % 2 === 0 ? Promise.resolve(retry(1, { counted: false })) : next();
    };
    const { settlement } = await untilSettled(
      fixed({ attempts: 4 }),
      async () => {
        reached += 1;
        throw new Error('still away');
      },
      [storeAway],
    );
    expect(settlement.kind).toBe('reject');
    expect(reached).toBe(4);
  });

  it('counts attempts that could have been made at once and were not', async () => {
    let runs = 0;
    const { settlement } = await untilSettled(fixed({ immediate: 2 }), async () => {
      runs += 1;
      throw new TimeoutError('RankGift.rank', 5);
    });
    expect([settlement.kind, runs]).toEqual(['reject', 5]);
  });

  it('makes no attempt at once where retries have a budget', async () => {
    const failing = () => Promise.reject(new Error('away'));
    const receive = receiveOf(fixed({ immediate: 3 }), failing, [], { retryBudget: { perSecond: 1 } });
    const delivery = { message: testMessage({ payload: {} }), attempt: 1, redelivered: false };
    const settlement = await receive(delivery, new AbortController().signal);
    expect([settlement.kind, attemptsIn(settlement as Parameters<typeof attemptsIn>[0])]).toEqual(['retry', 1]);
  });

  it('passes on what the handler settles by itself', async () => {
    for (const settlement of [accept, reject('no'), retry(5, { counted: false })]) {
      const receive = receiveOf(fixed(), async () => settlement);
      const delivery = { message: testMessage({ payload: {} }), attempt: 1, redelivered: false };
      await expect(receive(delivery, new AbortController().signal)).resolves.toEqual(settlement);
    }
  });
});

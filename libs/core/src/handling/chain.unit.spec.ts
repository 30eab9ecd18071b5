import { ManualClock, testMessage } from '@tidings/testing';
import { z } from 'zod';
import { NonRetriableError } from '../errors';
import { silentLogger, type TidingsLogger } from '../logger';
import { defineMessage } from '../message/contract';
import type { Message } from '../message/message';
import { accept, park, reject, release, retry, type Settlement } from '../transport/settlement';
import { checksumMiddleware } from './checksum.middleware';
import { dispatcher } from './dispatcher';
import type { HandlerDefinition } from './handler';
import { logMiddleware } from './log.middleware';
import type { MessageContext } from './message-context';
import type { Middleware } from './middleware';
import { fixed } from './retry-backoff';
import type { RetryPolicy } from './retry-policy';
import { retryMiddleware } from './retry.middleware';

const GiftSent = defineMessage('gift.sent', { schema: z.object({ coins: z.number() }) });

type Invoke = HandlerDefinition['invoke'];

const handler = (invoke: Invoke, policy: RetryPolicy = fixed({ immediate: 0 })): HandlerDefinition => ({
  name: 'RankGiftHandler.rank',
  contract: GiftSent,
  subscription: { topic: 'gift.sent', group: 'ranking', ordered: true, broadcast: false, concurrency: 1, from: 'now' },
  transport: 'main',
  store: 'default',
  level: 'effectivelyOnce',
  retry: policy,
  invoke,
});

interface Given {
  readonly invoke: Invoke;
  readonly chain?: readonly Middleware[];
  readonly policy?: RetryPolicy;
  readonly message?: Message;
  readonly attempt?: number;
  readonly signal?: AbortSignal;
  readonly logger?: TidingsLogger;
}

const receive = ({
  invoke,
  chain = [],
  policy,
  message,
  attempt = 1,
  signal,
  logger = silentLogger,
}: Given): Promise<Settlement> =>
  dispatcher(
    handler(invoke, policy),
    chain,
    logger,
  )(
    { message: message ?? testMessage({ payload: { coins: 5 } }), attempt, redelivered: false },
    signal ?? new AbortController().signal,
  );

const failing =
  (error: unknown): Invoke =>
  async () => {
    throw error;
  };

describe('the dispatcher', () => {
  it('hands the decoded payload and the context to the handler, and accepts', async () => {
    const seen: unknown[] = [];
    const message = testMessage({ payload: { coins: 5 } });
    const settled = receive({
      message,
      attempt: 3,
      invoke: async (payload, context) =>
        void seen.push(payload, context.message, context.attempt, context.handler.name),
    });
    await expect(settled).resolves.toEqual(accept);
    expect(seen).toEqual([{ coins: 5 }, message, 3, 'RankGiftHandler.rank']);
  });

  it.each([[accept], [release], [retry(5)], [reject('no')], [park('later')]])(
    "answers the handler's own settlement %j",
    async (settlement) => {
      await expect(receive({ invoke: async () => settlement })).resolves.toEqual(settlement);
    },
  );

  it.each([
    [{ kind: 'gold' }],
    [{ kind: 'retry' }],
    [{ kind: 'reject' }],
    [{ kind: 1 }],
    [{ kind: 'toString' }],
    ['accept'],
    [null],
  ])('does not take %j, which a handler returned, for a settlement', async (returned) => {
    await expect(receive({ invoke: async () => returned as never })).resolves.toEqual(accept);
  });

  it.each([
    ['an error', new Error('store away')],
    ['a text', 'store away'],
    ['what cannot be printed', Object.create(null)],
  ])('never rejects: %s outside of every policy is retried uncounted, and logged', async (_, thrown: unknown) => {
    const logged: object[] = [];
    const logger = { ...silentLogger, error: (fields: object) => void logged.push(fields) };
    await expect(receive({ invoke: failing(thrown), logger })).resolves.toMatchObject({
      kind: 'retry',
      counted: false,
    });
    expect(logged).toMatchObject([{ handler: 'RankGiftHandler.rank', err: expect.any(Error) }]);
  });

  it('never rejects when a middleware throws before it answers a promise', async () => {
    const broken: Middleware = () => {
      throw new Error('broken');
    };
    await expect(receive({ invoke: async () => undefined, chain: [broken] })).resolves.toMatchObject({
      kind: 'retry',
      counted: false,
    });
  });

  it('runs middlewares outermost first, and lets one answer for the handler', async () => {
    const order: string[] = [];
    const named =
      (name: string): Middleware =>
      async (_, next) => {
        order.push(name);
        const settlement = await next();
        order.push(`${name} after`);
        return settlement;
      };
    await receive({ invoke: async () => void order.push('handler'), chain: [named('a'), named('b')] });
    expect(order).toEqual(['a', 'b', 'handler', 'b after', 'a after']);
    const answering: Middleware = async () => reject('duplicate');
    await expect(receive({ invoke: failing(new Error('must not run')), chain: [answering] })).resolves.toEqual(
      reject('duplicate'),
    );
  });
});

describe('the retry middleware', () => {
  const clock = new ManualClock(1_800_000_000_000);
  const chain = [retryMiddleware(clock)];

  it('settles what a handler throws by its policy and the attempt', async () => {
    const error = new Error('x');
    await expect(receive({ invoke: failing(error), chain, attempt: 2 })).resolves.toEqual(retry(1_000, { error }));
    await expect(receive({ invoke: failing(error), chain, attempt: 5 })).resolves.toMatchObject({ kind: 'reject' });
  });

  it('tries at once as often as the policy says, each time through the inner middlewares, and keeps every failure', async () => {
    let [opened, tries] = [0, 0];
    let failures: MessageContext['failures'] = [];
    const transaction: Middleware = (context, next) => {
      opened += 1;
      failures = context.failures;
      return next();
    };
    const invoke: Invoke = async () => {
      if (++tries < 3) throw new Error(`try ${tries}`);
    };
    await expect(receive({ invoke, chain: [...chain, transaction], policy: fixed({ immediate: 2 }) })).resolves.toEqual(
      accept,
    );
    expect([opened, tries]).toEqual([3, 3]);
    expect(failures.map(({ attempt, at, error }) => [attempt, at, error.message])).toEqual([
      [1, '2027-01-15T08:00:00.000Z', 'try 1'],
      [2, '2027-01-15T08:00:00.000Z', 'try 2'],
    ]);
  });

  it('gives up its immediate attempts when they are used up', async () => {
    let tries = 0;
    const invoke: Invoke = async () => {
      throw new Error(`try ${++tries}`);
    };
    const settled = receive({ invoke, chain, policy: fixed({ immediate: 2 }) });
    await expect(settled).resolves.toMatchObject({ kind: 'retry', counted: true, error: { message: 'try 3' } });
  });

  it('does not try at once what no retry can mend', async () => {
    let tries = 0;
    const invoke: Invoke = async () => {
      tries += 1;
      throw new NonRetriableError('no');
    };
    await expect(receive({ invoke, chain, policy: fixed({ immediate: 5 }) })).resolves.toMatchObject({
      kind: 'reject',
    });
    expect(tries).toBe(1);
  });

  it('rejects a payload that does not fit its contract without running the handler', async () => {
    const message = testMessage({ payload: { coins: 'five' } });
    const settled = receive({ message, invoke: failing(new Error('must not run')), chain });
    await expect(settled).resolves.toMatchObject({
      kind: 'reject',
      reason: expect.stringContaining('message gift.sent v1: coins: '),
    });
  });

  it('parks a newer version', async () => {
    const message = testMessage({ payload: { coins: 5 }, version: 2 });
    await expect(receive({ message, invoke: async () => undefined, chain })).resolves.toMatchObject({ kind: 'park' });
  });

  it('releases a handler that the stop cut short: it has not failed', async () => {
    const signal = AbortSignal.abort();
    let tries = 0;
    const invoke: Invoke = async () => {
      tries += 1;
      throw new Error('aborted');
    };
    await expect(receive({ invoke, chain, signal, policy: fixed({ immediate: 5 }) })).resolves.toEqual(release);
    expect(tries).toBe(1);
  });
});

describe('the checksum middleware', () => {
  it.each([
    ['passes the bytes that were published', testMessage({ payload: { coins: 5 } }), accept],
    ['passes a foreign message without a checksum', testMessage({ payload: { coins: 5 }, crc32c: null }), accept],
    [
      'rejects other bytes, and tells both checksums',
      testMessage({ payload: { coins: 5 }, crc32c: 0x12345678 }),
      reject(
        expect.stringMatching(/^corrupt payload: CRC-32C expected 12345678, found [0-9a-f]+$/) as unknown as string,
      ),
    ],
  ])('%s', async (_, message, settlement) => {
    await expect(receive({ message, invoke: async () => undefined, chain: [checksumMiddleware] })).resolves.toEqual(
      settlement,
    );
  });
});

describe('the log middleware', () => {
  it.each([
    [accept, 'debug', 'handled'],
    [release, 'debug', 'released: this process is stopping'],
    [retry(5, { error: new Error('x') }), 'warn', 'failed, will be retried'],
    [reject('duplicate of another content'), 'warn', 'duplicate of another content'],
    [park('newer version'), 'warn', 'newer version'],
  ])('writes one line for %j', async (settlement, level, text) => {
    const lines: unknown[] = [];
    const line = (at: string) => (fields: object, message: string) => void lines.push([at, message, fields]);
    const logger = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
    await receive({ invoke: async () => settlement, chain: [logMiddleware(logger)], logger });
    expect(lines).toEqual([
      [level, text, expect.objectContaining({ group: 'ranking', attempt: 1, settlement: settlement.kind })],
    ]);
  });
});

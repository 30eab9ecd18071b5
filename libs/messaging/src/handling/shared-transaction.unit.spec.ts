import {
  accept,
  type DeliveryLevel,
  DeliveryLanes,
  defineMessage,
  dispatcher,
  fixed,
  type HandlerDefinition,
  never,
  NonRetriableError,
  reject,
  retryMiddleware,
  type Settlement,
  silentLogger,
  systemClock,
} from '@tidings/core';
import { testMessage } from '@tidings/testing';
import fc from 'fast-check';
import { z } from 'zod';
import { BatchError } from './batch.error';
import type { BatchItem } from './batch-context';
import { batchRun, type InvokeBatch } from './batch-run';
import { coalescedRun } from './coalesced-run';
import { SharedTransactionGate } from './shared-transaction.gate';
import { SpecSharedStore } from './spec-shared-store.fixture';

const Gift = defineMessage('gift.sent', { schema: z.object({ n: z.number() }) });

interface Given {
  readonly id: string;
  readonly key?: string | null;
  readonly payload?: unknown;
  readonly crc32c?: number;
}

interface Setting {
  readonly store?: SpecSharedStore;
  readonly size?: number;
  readonly ordered?: boolean;
  readonly level?: DeliveryLevel;
  readonly retry?: HandlerDefinition['retry'];
  readonly coalesced?: boolean;
}

/** Lanes, chain, gate and run as an application has them; only transport and store are in memory. */
function subscriptionOf(
  invoke: InvokeBatch | HandlerDefinition['invoke'],
  { store = new SpecSharedStore(), size = 1_000, ordered = true, ...more }: Setting = {},
) {
  const { level = 'effectivelyOnce', retry = never(), coalesced = false } = more;
  const limits = { size, waitMs: 0 };
  const { transaction } = store;
  const run = coalesced
    ? coalescedRun({ transaction, invoke: invoke as HandlerDefinition['invoke'] })
    : batchRun({ transaction, invoke: invoke as InvokeBatch, logger: silentLogger });
  const batching = { places: 1, byType: new Map([[Gift.type, limits]]) };
  const place = { topic: Gift.topic, group: 'spec', broadcast: false, from: 'now' } as const;
  const subscription = { ...place, ordered, concurrency: size, batching };
  const handler: HandlerDefinition = {
    ...{ name: 'spec', contract: Gift, subscription, transport: 'main', store: 'default', level, retry, batch: limits },
    invoke: new SharedTransactionGate(run).join,
  };
  const receive = dispatcher(handler, [retryMiddleware(systemClock)], silentLogger);
  const attempts: string[] = [];
  const lanes = new DeliveryLanes(
    subscription,
    (delivery, signal) => {
      attempts.push(`${delivery.message.id}:${delivery.attempt}`);
      return receive(delivery, signal);
    },
    systemClock,
  );
  const deliver = (given: readonly Given[]): Promise<Settlement[]> =>
    Promise.all(
      given.map(({ payload = { n: 1 }, key = null, ...message }) =>
        lanes.run({ message: testMessage({ key, payload, ...message }), attempt: 1, redelivered: false }),
      ),
    );
  return { deliver, lanes, attempts, store };
}

const ids = (items: readonly BatchItem[]): string[] => items.map(({ id }) => id);
const numbered = (count: number, key: (n: number) => string | null = () => null): Given[] =>
  Array.from({ length: count }, (_, n) => ({ id: `${n}`, key: key(n) }));
const kinds = (settlements: readonly Settlement[]): string[] => settlements.map(({ kind }) => kind);

const scenario = fc.record({
  keys: fc.array(fc.constantFrom('a', 'b', 'c', null), { minLength: 1, maxLength: 40 }),
  poisoned: fc.func(fc.integer({ min: 0, max: 5 })),
  size: fc.integer({ min: 1, max: 12 }),
  named: fc.boolean(),
  coalesced: fc.boolean(),
  ordered: fc.boolean(),
  immediate: fc.nat({ max: 1 }),
});

describe('messages that share a transaction', () => {
  it('are each applied once, their poisons fail alone, and every key keeps its order, whatever the poisons are', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ keys, poisoned, size, named, coalesced, ordered, immediate }) => {
        const isPoison = (id: string): boolean => poisoned(id) === 0;
        const store = new SpecSharedStore();
        const tried: string[] = [];
        const one = (id: string): void => {
          tried.push(id);
          if (isPoison(id)) throw new Error(`poison ${id}`);
          store.effect(id);
        };
        const batch: InvokeBatch = async (items) => {
          const bad = ids(items).filter(isPoison);
          if (named && bad.length > 0) throw new BatchError(bad);
          ids(items).forEach(one);
        };
        const single: HandlerDefinition['invoke'] = async (_, { message }) => one(message.id);
        const retry = fixed({ attempts: 3, immediate, delayMs: 0 });
        const { deliver, lanes, attempts } = subscriptionOf(coalesced ? single : batch, {
          ...{ store, size, ordered, coalesced, retry },
        });
        const given = keys.map((key, n) => ({ id: `${n}`, key }));
        const settled = await deliver(given);
        // An unordered or unkeyed poison's retry is the transport's to make.
        const last = (key: string | null): string => (ordered && key !== null ? 'reject' : 'retry');
        expect(kinds(settled)).toEqual(given.map(({ id, key }) => (isPoison(id) ? last(key) : 'accept')));
        const good = given.filter(({ id }) => !isPoison(id));
        expect([...store.committed].sort()).toEqual(good.map(({ id }) => id).sort());
        for (const { id } of good) expect(attempts).not.toContain(`${id}:2`);
        if (ordered)
          for (const key of ['a', 'b', 'c']) {
            const of = (all: readonly string[]) => all.filter((id) => given[Number(id)]?.key === key);
            expect(of(store.committed)).toEqual(of(good.map(({ id }) => id)));
          }
        expect(lanes.inFlight).toBe(0);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

describe('a batch', () => {
  it('is handed over at once, in one transaction', async () => {
    const batches: string[][] = [];
    const { deliver, store } = subscriptionOf(async (items: readonly BatchItem[]) => void batches.push(ids(items)), {
      size: 3,
    });
    await expect(deliver(numbered(7))).resolves.toEqual(Array.from({ length: 7 }, () => accept));
    expect(batches).toEqual([['0', '1', '2'], ['3', '4', '5'], ['6']]);
    expect(store.transactions).toBe(3);
  });

  it('finds one poison of 256 in 17 transactions', async () => {
    const { deliver, store } = subscriptionOf(
      async (items: readonly BatchItem[]) => {
        if (ids(items).includes('77')) throw new Error('poison');
      },
      { ordered: false },
    );
    const settled = await deliver(numbered(256));
    expect(settled.filter(({ kind }) => kind !== 'accept')).toEqual([settled[77]]);
    expect(store.transactions).toBe(17);
  });

  it('runs twice when the handler names who failed, with the cause as their failure', async () => {
    const cause = new NonRetriableError('no such room');
    const { deliver, store } = subscriptionOf(async (items: readonly BatchItem[]) => {
      const failed = ids(items).filter((id) => id === '2' || id === '5');
      if (failed.length > 0) throw new BatchError(failed, { cause });
      ids(items).forEach(store.effect);
    });
    const settled = await deliver(numbered(8));
    expect(settled[2]).toEqual(reject('not retriable: no such room', cause));
    expect(kinds(settled).filter((kind) => kind === 'reject')).toHaveLength(2);
    expect([store.transactions, store.committed]).toEqual([2, ['0', '1', '3', '4', '6', '7']]);
  });

  it('looks for the poison itself when a BatchError names nobody of the batch', async () => {
    const { deliver } = subscriptionOf(async (items: readonly BatchItem[]) => {
      if (ids(items).includes('1')) throw new BatchError(['somebody else']);
    });
    expect(kinds(await deliver(numbered(4)))).toEqual(['accept', 'reject', 'accept', 'accept']);
  });

  it('holds back the followers of a poison, uncounted, until it is settled for good', async () => {
    const log: string[] = [];
    const store = new SpecSharedStore();
    const { deliver, attempts } = subscriptionOf(
      async (items: readonly BatchItem[]) => {
        log.push(ids(items).join());
        if (ids(items).includes('2')) throw new BatchError(['2']);
        ids(items).forEach(store.effect);
      },
      { store, retry: fixed({ attempts: 3, immediate: 0, delayMs: 0 }) },
    );
    const settled = await deliver(numbered(6, (n) => (n % 2 === 0 ? 'even' : 'odd')));
    expect(kinds(settled)).toEqual(['accept', 'accept', 'reject', 'accept', 'accept', 'accept']);
    expect(log).toEqual(['0,1,2,3,4,5', '0,1,3,5', '2', '2', '4']);
    expect(attempts.filter((one) => one.startsWith('4'))).toEqual(['4:1', '4:1']);
    expect(attempts.filter((one) => one.startsWith('2'))).toEqual(['2:1', '2:2', '2:3']);
  });

  it('counts a failure of the first poison of a key only', async () => {
    const retry = fixed({ attempts: 2, immediate: 0, delayMs: 0 });
    const { deliver, attempts } = subscriptionOf(
      async (items: readonly BatchItem[]) => {
        throw new BatchError(ids(items));
      },
      { retry },
    );
    expect(kinds(await deliver(numbered(2, () => 'a')))).toEqual(['reject', 'reject']);
    expect(attempts).toEqual(['0:1', '1:1', '0:2', '1:1', '1:2']);
  });

  it('holds back the followers of one that did not get as far as the handler', async () => {
    const log: string[] = [];
    const { deliver } = subscriptionOf(async (items: readonly BatchItem[]) => void log.push(ids(items).join()));
    const settled = await deliver([
      { id: '0', key: 'a' },
      { id: '1', key: 'a', payload: { n: 'none' } },
      { id: '2', key: 'a' },
      { id: '3', key: 'b' },
    ]);
    expect(kinds(settled)).toEqual(['accept', 'reject', 'accept', 'accept']);
    expect(log).toEqual(['0,2,3']); // what is rejected is settled for good
  });

  it('hands a copy over once, and accepts both', async () => {
    const { deliver, store } = subscriptionOf(async (items: readonly BatchItem[]) => ids(items).forEach(store.effect));
    expect(kinds(await deliver([{ id: 'x' }, { id: 'y' }, { id: 'x' }]))).toEqual(['accept', 'accept', 'accept']);
    expect(store.committed).toEqual(['x', 'y']);
  });

  it('narrows down a commit that fails', async () => {
    const { deliver, store } = subscriptionOf(async (items: readonly BatchItem[]) => ids(items).forEach(store.effect));
    store.failingCommits.push(new Error('deferred constraint'));
    expect(kinds(await deliver(numbered(4)))).toEqual(['accept', 'accept', 'accept', 'accept']);
    expect([store.transactions, store.committed]).toEqual([3, ['0', '1', '2', '3']]);
  });

  it('narrows down an answer that is no success', async () => {
    const { deliver } = subscriptionOf(async (items: readonly BatchItem[]) =>
      ids(items).includes('3') ? reject('forbidden') : undefined,
    );
    const settled = await deliver(numbered(5));
    expect(settled[3]).toEqual(reject('forbidden'));
    expect(settled.filter(({ kind }) => kind === 'accept')).toHaveLength(4);
  });

  it('never runs a message twice with atMostOnce', async () => {
    const log: string[] = [];
    const failing = (error: Error) => async (items: readonly BatchItem[]) => {
      log.push(ids(items).join());
      throw error;
    };
    const named = subscriptionOf(failing(new BatchError(['1'])), { level: 'atMostOnce' });
    expect(kinds(await named.deliver(numbered(3)))).toEqual(['accept', 'reject', 'accept']);
    const unnamed = subscriptionOf(failing(new Error('all')), { level: 'atMostOnce' });
    expect(kinds(await unnamed.deliver(numbered(3)))).toEqual(['reject', 'reject', 'reject']);
    expect(log).toEqual(['0,1,2', '0,1,2']);
  });

  it('is released, uncounted, when a stop cuts it short', async () => {
    let began!: () => void;
    const running = new Promise<void>((resolve) => (began = resolve));
    const { deliver, lanes, store } = subscriptionOf(
      async (_items: readonly BatchItem[], { signal }: { signal: AbortSignal }) => {
        began();
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        throw new Error('cut short');
      },
    );
    const settled = deliver(numbered(4));
    await running;
    await lanes.stop(0);
    expect(kinds(await settled)).toEqual(['release', 'release', 'release', 'release']);
    expect(store.transactions).toBe(1);
  });
});

describe('coalesced messages', () => {
  it('commit together, and one that fails goes its own way', async () => {
    const store = new SpecSharedStore();
    const { deliver } = subscriptionOf(
      async (_payload: unknown, { message }: { message: { id: string } }) => {
        store.effect(message.id);
        if (message.id === '1') throw new Error('poison');
        if (message.id === '2') return reject('forbidden');
        return undefined;
      },
      { store, coalesced: true },
    );
    expect(kinds(await deliver(numbered(5)))).toEqual(['accept', 'reject', 'reject', 'accept', 'accept']);
    expect([store.transactions, store.committed]).toEqual([1, ['0', '3', '4']]);
  });

  it('are each tried alone when their commit fails', async () => {
    const store = new SpecSharedStore();
    const { deliver, attempts } = subscriptionOf(
      async (_payload: unknown, { message }: { message: { id: string } }) => store.effect(message.id),
      { store, coalesced: true },
    );
    store.failingCommits.push(new Error('connection lost'), new Error('deferred constraint'));
    expect(kinds(await deliver(numbered(3)))).toEqual(['reject', 'accept', 'accept']);
    expect([store.transactions, store.committed]).toEqual([4, ['1', '2']]);
    expect(attempts).toEqual(['0:1', '1:1', '2:1']);
  });
});

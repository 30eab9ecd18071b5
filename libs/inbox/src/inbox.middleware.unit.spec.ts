import {
  accept,
  type DeliveryLevel,
  type HandlerDefinition,
  MessageContext,
  type Next,
  OptionsError,
  reject,
  release,
  retry,
  type Settlement,
  type Store,
  type Transaction,
} from '@tidings/core';
import { testMessage } from '@tidings/testing';
import type { InboxEntry } from './inbox-entry';
import { inboxMiddleware } from './inbox.middleware';
import { InboxUnavailableError, type InboxOutcome, type InboxStore } from './inbox-store';

const transaction = { name: 'the transaction' } as unknown as Transaction;

/** A store whose transactions only remember how they ended. */
class FakeStore {
  readonly ended: ('commit' | 'rollback')[] = [];
  away = false;
  async run<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.away) throw new Error('no connection');
    try {
      const result = await work(transaction);
      this.ended.push('commit');
      return result;
    } catch (thrown) {
      this.ended.push('rollback');
      throw thrown;
    }
  }
}

/** An inbox that gives the answer it was told, or runs the work. */
class FakeInbox implements InboxStore {
  readonly entries: InboxEntry[] = [];
  answer: Exclude<InboxOutcome, { kind: 'handled' }> | Error | undefined;
  async once(
    entry: InboxEntry,
    work: (transaction: Transaction | undefined) => Promise<Settlement>,
  ): Promise<InboxOutcome> {
    this.entries.push(entry);
    if (this.answer instanceof Error) throw this.answer;
    return this.answer ?? { kind: 'handled', settlement: await work(transaction) };
  }
  async seal(): Promise<'sealed'> {
    return 'sealed';
  }
}

describe('inboxMiddleware', () => {
  const setUp = (level: DeliveryLevel, broadcast = false) => {
    const [store, inbox] = [new FakeStore(), new FakeInbox()];
    const subscription = {
      topic: 'gift.sent',
      group: 'ranking',
      ordered: true,
      broadcast,
      concurrency: 1,
      from: 'now',
    };
    const handler = { name: 'rank', store: 'main', level, subscription } as unknown as HandlerDefinition;
    const context = new MessageContext(
      { message: testMessage({ id: 'a gift', bucket: '2026-11-20' }), attempt: 1, redelivered: false },
      handler,
      new AbortController().signal,
    );
    const seen: (Transaction | undefined)[] = [];
    const middleware = inboxMiddleware({
      stores: () => store as unknown as Store,
      inboxOf: () => inbox,
      againAfterMs: 77,
    });
    const run = (settle: Next = async () => accept) =>
      middleware(context, () => {
        seen.push(context.transaction);
        return settle();
      });
    return { store, inbox, context, seen, run };
  };

  it('runs the handler of level effectivelyOnce in the inbox, with its transaction, and takes the transaction back', async () => {
    const { inbox, context, seen, run } = setUp('effectivelyOnce');
    expect(await run()).toEqual(accept);
    expect(seen).toEqual([transaction]);
    expect(context.transaction).toBeUndefined();
    expect(inbox.entries).toMatchObject([{ subscription: 'ranking@gift.sent', bucket: '2026-11-20', generation: 0 }]);
  });

  it.each<[InboxOutcome['kind'], Exclude<InboxOutcome, { kind: 'handled' }>, object]>([
    ['duplicate', { kind: 'duplicate' }, accept],
    ['conflict', { kind: 'conflict' }, { kind: 'reject', reason: expect.stringMatching(/^conflict: message a gift/) }],
    [
      'outside',
      { kind: 'outside', horizon: '2026-11-21' },
      { kind: 'reject', reason: expect.stringMatching(/^outside the dedupe horizon: bucket 2026-11-20/) },
    ],
    ['unfit', { kind: 'unfit', problem: 'odd' }, { kind: 'reject', reason: 'the inbox cannot file it: odd' }],
    ['busy', { kind: 'busy' }, { kind: 'retry', afterMs: 77, counted: false }],
  ])('does not run the handler when the inbox says %s', async (_kind, answer, settlement) => {
    const { inbox, seen, run } = setUp('effectivelyOnce');
    inbox.answer = answer;
    expect(await run()).toEqual(settlement);
    expect(seen).toEqual([]);
  });

  it('retries uncounted when the inbox is away', async () => {
    const { inbox, run } = setUp('effectivelyOnce');
    const error = new InboxUnavailableError('ranking@gift.sent', { cause: new Error('away') });
    inbox.answer = error;
    expect(await run()).toEqual(retry(77, { counted: false, error }));
  });

  it('passes on what the handler throws, for the retry policy to judge', async () => {
    const error = new Error('the handler failed');
    for (const level of ['effectivelyOnce', 'atLeastOnce'] as const) {
      const { run, context } = setUp(level);
      await expect(run(() => Promise.reject(error))).rejects.toBe(error);
      expect(context.transaction).toBeUndefined();
    }
  });

  it.each([
    ['atLeastOnce', false],
    ['effectivelyOnce', true],
  ] as const)('gives level %s (broadcast %s) a transaction without an inbox row', async (level, broadcast) => {
    const { store, inbox, seen, run } = setUp(level, broadcast);
    expect(await run()).toEqual(accept);
    expect([inbox.entries, seen, store.ended]).toEqual([[], [transaction], ['commit']]);
  });

  it.each([retry(5), reject('no'), release])(
    'rolls back what settles as $kind and passes that on',
    async (settlement) => {
      const { store, run } = setUp('atLeastOnce');
      expect(await run(async () => settlement)).toEqual(settlement);
      expect(store.ended).toEqual(['rollback']);
    },
  );

  it('retries uncounted when no transaction could be begun', async () => {
    const { store, seen, run } = setUp('atLeastOnce');
    store.away = true;
    expect(await run()).toMatchObject({ kind: 'retry', afterMs: 77, counted: false });
    expect(seen).toEqual([]);
  });

  it('passes level atMostOnce through', async () => {
    const { store, inbox, seen, run } = setUp('atMostOnce');
    expect(await run()).toEqual(accept);
    expect([inbox.entries, store.ended, seen]).toEqual([[], [], [undefined]]);
  });

  it('refuses a retention shorter than the time after which a copy may come', () => {
    const make = (retentionDays: number) => () =>
      inboxMiddleware({ stores: () => ({}) as Store, retentionDays, longestReturnMs: 86_400_000 * 2.5 });
    expect(make(2)).toThrow(OptionsError);
    expect(make(2)).toThrow(/^inbox\.retentionDays: expected at least 3/);
    expect(make(3)).not.toThrow();
  });

  it('names a bad option by its path', () => {
    const make = () => inboxMiddleware({ stores: () => ({}) as Store, lockTimeoutMs: 0 });
    expect(make).toThrow(/^inbox\.lockTimeoutMs: /);
  });
});

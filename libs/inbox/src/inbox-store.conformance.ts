import { accept, reject, retry, type Transaction } from '@tidings/core';
import { Gate, testMessage, until } from '@tidings/testing';
import { type InboxEntry, inboxEntryOf } from './inbox-entry';
import type { InboxStore } from './inbox-store';

export interface InboxHarness {
  readonly inbox: InboxStore;
  /** Adds one, in the transaction. */
  readonly effect: (transaction: Transaction | undefined) => Promise<void>;
  /** How often `effect` was committed. */
  readonly effects: () => Promise<number>;
  /** The store's clock is this many days ahead from now on. */
  readonly setDaysAhead: (days: number) => Promise<void>;
  /** The store's date, that many days ago. */
  readonly day: (daysAgo?: number) => Promise<string>;
  /** The harness made its inbox with this many. */
  readonly retentionDays: number;
  readonly dropExpired: () => Promise<unknown>;
  /** An inbox in no database: what `work` did stays, whatever it settles as. Default false. */
  readonly withoutTransactions?: boolean;
}

const ranking = { group: 'ranking', topic: 'gift.sent' };

/** What every inbox owes. */
export function inboxStoreConformance(harness: () => InboxHarness): void {
  const entryOf = (overrides: Parameters<typeof testMessage>[0] = {}, subscription = ranking): InboxEntry =>
    inboxEntryOf(subscription, testMessage(overrides));
  const once = (entry: InboxEntry) =>
    harness().inbox.once(entry, async (transaction) => {
      await harness().effect(transaction);
      return accept;
    });
  const kinds = async (...entries: InboxEntry[]): Promise<string[]> => {
    const found: string[] = [];
    for (const entry of entries) found.push((await once(entry)).kind);
    return found;
  };

  it('handles a message once, however often it comes', async () => {
    const entry = entryOf();
    expect(await kinds(entry, entry, entry)).toEqual(['handled', 'duplicate', 'duplicate']);
    expect(await harness().effects()).toBe(1);
  });

  it('handles it once when twenty copies come at the same time', async () => {
    const entry = entryOf();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => once(entry)));
    expect(outcomes.filter(({ kind }) => kind === 'handled')).toHaveLength(1);
    expect(outcomes.every(({ kind }) => ['handled', 'duplicate', 'busy'].includes(kind))).toBe(true);
    expect(await harness().effects()).toBe(1);
  });

  it('answers busy to a copy while the first one is still being handled, and duplicate afterwards', async () => {
    const [began, mayEnd] = [new Gate(), new Gate()];
    const entry = entryOf();
    const first = harness().inbox.once(entry, async (transaction) => {
      await harness().effect(transaction);
      began.open();
      await mayEnd.opened;
      return accept;
    });
    await began.opened;
    const meanwhile = await kinds(entry);
    mayEnd.open();
    expect(meanwhile).toEqual(['busy']);
    expect((await first).kind).toBe('handled');
    expect(await kinds(entry)).toEqual(['duplicate']);
    expect(await harness().effects()).toBe(1);
  });

  it('lets a waiting copy handle the message when the first one fails', async () => {
    const [began, mayEnd] = [new Gate(), new Gate()];
    const entry = entryOf();
    const first = harness().inbox.once(entry, async () => {
      began.open();
      await mayEnd.opened;
      throw new Error('first failed');
    });
    await began.opened;
    const second = once(entry);
    mayEnd.open();
    await expect(first).rejects.toThrow('first failed');
    expect(['handled', 'busy']).toContain((await second).kind);
    await until('a copy is handled', async () => (await once(entry)).kind === 'duplicate');
    expect(await harness().effects()).toBe(1);
  });

  it.each([retry(5), reject('no'), { kind: 'release' } as const])(
    'forgets a message settled as $kind',
    async (settlement) => {
      const entry = entryOf();
      const outcome = await harness().inbox.once(entry, async (transaction) => {
        await harness().effect(transaction);
        return settlement;
      });
      expect(outcome).toEqual({ kind: 'handled', settlement });
      expect(await harness().effects()).toBe(harness().withoutTransactions ? 1 : 0);
      expect(await kinds(entry)).toEqual(['handled']);
    },
  );

  it('forgets a message whose handler threw, and passes the error on', async () => {
    const entry = entryOf();
    const error = new Error('no luck');
    const failed = harness().inbox.once(entry, async (transaction) => {
      await harness().effect(transaction);
      throw error;
    });
    await expect(failed).rejects.toBe(error);
    expect(await harness().effects()).toBe(harness().withoutTransactions ? 1 : 0);
    expect(await kinds(entry)).toEqual(['handled']);
  });

  it('finds a conflict when the same id comes with other content', async () => {
    const id = 'client-chosen';
    expect(
      await kinds(
        entryOf({ id, payload: { coins: 1, to: 'a' } }),
        entryOf({ id, payload: '{ "to": "a", "coins": 1 }' }),
        entryOf({ id, payload: { coins: 2, to: 'a' } }),
      ),
    ).toEqual(['handled', 'duplicate', 'conflict']);
    expect(await harness().effects()).toBe(1);
  });

  it('handles a redriven generation once more, once', async () => {
    const message = { id: 'redriven', payload: 'same' };
    const again = entryOf({ ...message, generation: 1 });
    expect(await kinds(entryOf(message), again, again)).toEqual(['handled', 'handled', 'duplicate']);
  });

  it('keeps subscriptions apart', async () => {
    const message = { id: 'for two' };
    const badges = { group: 'badges', topic: 'gift.sent' };
    const other = { group: 'ranking', topic: 'gift.refunded' };
    expect(
      await kinds(entryOf(message), entryOf(message, badges), entryOf(message, other), entryOf(message, badges)),
    ).toEqual(['handled', 'handled', 'handled', 'duplicate']);
  });

  it('takes any id of any length, and keeps sources apart', async () => {
    const id = `ключ\u0000${'🎁'.repeat(5_000)}`;
    expect(
      await kinds(entryOf({ id }), entryOf({ id }), entryOf({ id, source: 'another' }), entryOf({ id: '' })),
    ).toEqual(['handled', 'duplicate', 'handled', 'handled']);
  });

  it('knows a foreign message, which has no bucket', async () => {
    const entry = entryOf({ id: '42', bucket: null });
    expect(await kinds(entry, entry)).toEqual(['handled', 'duplicate']);
  });

  it("knows yesterday's message when it is delivered again the next day", async () => {
    const entry = entryOf({ bucket: await harness().day() });
    expect(await kinds(entry)).toEqual(['handled']);
    await harness().setDaysAhead(1);
    expect(await kinds(entry)).toEqual(['duplicate']);
    await harness().dropExpired();
    expect(await kinds(entry)).toEqual(['duplicate']);
  });

  it('makes a bucket when its first messages come, all at once', async () => {
    const bucket = await harness().day(-3);
    const entries = Array.from({ length: 12 }, () => entryOf({ bucket }));
    const outcomes = await Promise.all(entries.map(once));
    expect(outcomes.map(({ kind }) => kind)).toEqual(entries.map(() => 'handled'));
    expect(await kinds(...entries)).toEqual(entries.map(() => 'duplicate'));
  });

  it('refuses what is outside the horizon, dropped or not, and never forgets within it', async () => {
    const { retentionDays, day, dropExpired, setDaysAhead } = harness();
    const oldest = entryOf({ bucket: await day(retentionDays) });
    const tooOld = entryOf({ bucket: await day(retentionDays + 1) });
    const horizon = await day(retentionDays);
    expect(await once(tooOld)).toEqual({ kind: 'outside', horizon });
    expect(await kinds(oldest)).toEqual(['handled']);
    await dropExpired();
    expect(await kinds(oldest)).toEqual(['duplicate']);
    await setDaysAhead(1);
    expect(await kinds(oldest)).toEqual(['outside']);
    await dropExpired();
    expect(await kinds(oldest, oldest)).toEqual(['outside', 'outside']);
    await setDaysAhead(0); // a clock that goes back does not bring back what was dropped
    expect(await kinds(oldest)).toEqual(['outside']);
  });

  it.each(['2026-11-1', 'today', '-infinity', "'; drop table inbox; --", '9999-12-31', ''])(
    'refuses the bucket %j as one that it cannot file',
    async (bucket) => {
      expect(await kinds(entryOf({ bucket }))).toEqual(['unfit']);
    },
  );

  it('refuses a bucket that is no day of any calendar', async () => {
    const nextYear = Number((await harness().day()).slice(0, 4)) + 1;
    expect(await kinds(entryOf({ bucket: `${nextYear}-02-30` }))).toEqual(['unfit']);
  });

  it('refuses a generation that no counter reaches', async () => {
    expect(await kinds(entryOf({ generation: 2 ** 40 }))).toEqual(['unfit']);
  });

  it('seals a generation that was not handled: no copy of it is handled any more', async () => {
    const entry = entryOf();
    expect(await harness().inbox.seal(entry)).toBe('sealed');
    expect(await harness().inbox.seal(entry)).toBe('sealed');
    expect(await kinds(entry)).toEqual(['duplicate']);
    expect(await harness().effects()).toBe(0);
  });

  it('says that a generation was handled when it is too late to seal it', async () => {
    const entry = entryOf({ id: 'done', payload: 'a' });
    await once(entry);
    expect(await harness().inbox.seal(entry)).toBe('handled');
    expect(await harness().inbox.seal(entryOf({ id: 'done', payload: 'b' }))).toBe('sealed');
    expect(await harness().inbox.seal(entryOf({ bucket: '1999-12-31' }))).toBe('sealed');
  });
}

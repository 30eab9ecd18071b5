import { randomBytes } from 'node:crypto';
import {
  accept,
  type HandlerDefinition,
  MessageContext,
  quoted,
  reject,
  retry,
  type RetryBudget,
  type Settlement,
  type Store,
} from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { describeOn, testMessage } from '@tidings/testing';
import { Pool } from 'pg';
import { deadLetterMigrations } from './migrations';
import { retryBudgetMiddleware } from './retry-budget.middleware';

const failing = retry(100, { error: new Error('away') });

describeOn('postgres', 'the retry budget', (url) => {
  const schema = `budget_${randomBytes(4).toString('hex')}`;
  let pool: Pool;
  let store: Store;

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 4 });
    store = pg(pool, { schema });
    await migrate(store, deadLetterMigrations);
  });
  beforeEach(() => pool.query(`truncate ${quoted(schema)}.retry_budget`));
  afterAll(async () => {
    await pool.query(`drop schema ${quoted(schema)} cascade`);
    await store.close();
    await pool.end();
  });

  const settle = (settlement: Settlement, retryBudget: RetryBudget, group = 'g', storeOf = () => store) => {
    const handler = { store: 'main', subscription: { topic: 't', group }, retryBudget } as unknown as HandlerDefinition;
    const delivery = { message: testMessage(), attempt: 1, redelivered: false };
    const context = new MessageContext(delivery, handler, new AbortController().signal);
    return retryBudgetMiddleware({ storeOf })(context, () => Promise.resolve(settlement));
  };
  /** How much longer than the policy says a retry waits. */
  const waits = async (budget: RetryBudget, group?: string): Promise<number> => {
    const settlement = await settle(failing, budget, group);
    return settlement.kind === 'retry' ? settlement.afterMs - 100 : NaN;
  };
  /** A token in a hundred seconds: the time that the spec takes is none. */
  const slow = { perSecond: 0.01, burst: 2 };
  const nearly = (ms: number) => ({ asymmetricMatch: (found: unknown) => Math.abs(Number(found) - ms) < 30_000 });

  it('gives what was saved up at once, then one token after the other, to however many ask at once', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => waits(slow)));
    expect(all.sort((a, b) => a - b)).toEqual([0, 0, 100_000, 200_000, 300_000, 400_000].map(nearly));
  });

  it('saves up what is not used, the burst at most', async () => {
    await Promise.all([waits(slow), waits(slow), waits(slow)]);
    const ago = (seconds: number) =>
      pool.query(`update ${quoted(schema)}.retry_budget set next_at = next_at - $1 * interval '1 second'`, [seconds]);
    await ago(250);
    expect([await waits(slow), await waits(slow)]).toEqual([0, 50_000].map(nearly));
    await ago(1_000_000);
    expect([await waits(slow), await waits(slow), await waits(slow)]).toEqual([0, 0, 100_000].map(nearly));
  });

  it('lets nobody wait longer than it says, and those behind not the longer for it', async () => {
    const budget = { ...slow, burst: 1, maxWaitMs: 150_000 };
    const all = [await waits(budget), await waits(budget), await waits(budget), await waits(budget)];
    expect(all).toEqual([0, 100_000, 150_000, 150_000].map(nearly));
  });

  it('is a subscription’s own, unless several give it one name', async () => {
    const own = { ...slow, burst: 1 };
    expect([await waits(own, 'a'), await waits(own, 'b')]).toEqual([0, 0]);
    const shared = { ...own, name: 'partner' };
    expect([await waits(shared, 'a'), await waits(shared, 'b')]).toEqual([0, 100_000].map(nearly));
  });

  it('saves a second’s tokens by default', async () => {
    const all = [await waits({ perSecond: 0.01 }), await waits({ perSecond: 0.01 })];
    expect(all).toEqual([0, 100_000].map(nearly));
  });

  it('is drawn upon by what failed and is tried again, and by nothing else', async () => {
    const untouched = [accept, reject('no'), retry(5, { counted: false })];
    for (const settlement of untouched) expect(await settle(settlement, slow)).toBe(settlement);
    expect((await pool.query(`select from ${quoted(schema)}.retry_budget`)).rowCount).toBe(0);
  });

  it('is not waited for when its store is away', async () => {
    const away = { ...store, schema, query: () => Promise.reject(new Error('away')) } as unknown as Store;
    expect(await settle(failing, slow, 'g', () => away)).toBe(failing);
  });
});

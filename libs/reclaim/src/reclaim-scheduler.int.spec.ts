import { randomUUID } from 'node:crypto';
import { type Reclaimer, silentLogger, type Store, systemClock } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { describeOn, until } from '@tidings/testing';
import { Pool } from 'pg';
import { reclaimMigrations } from './migrations';
import { reclaimOptions } from './reclaim.options';
import { ReclaimScheduler } from './reclaim-scheduler';

describeOn('postgres', 'the reclaim scheduler', (url) => {
  const schema = `reclaim_${randomUUID().slice(0, 8)}`;
  let pool: Pool;
  let store: Store;
  const started: ReclaimScheduler[] = [];

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 4 });
    store = pg(pool, { schema });
    await store.connect();
    await migrate(store, reclaimMigrations);
  });
  beforeEach(() =>
    pool.query(
      `update ${schema}.reclaim set owner = null, lease_until = '-infinity', due_at = '-infinity', finished_at = null`,
    ),
  );
  afterEach(async () => {
    await Promise.all(started.splice(0).map((scheduler) => scheduler.stop()));
  });
  afterAll(async () => {
    await pool.query(`drop schema ${schema} cascade`);
    await store.close();
    await pool.end();
  });

  const scheduler = (instance: string, reclaimers: readonly Reclaimer[], everyMs = 60_000, leaseMs = 60_000) => {
    const options = reclaimOptions.parse({ everyMs, leaseMs });
    const one = new ReclaimScheduler({
      store,
      reclaimers,
      options,
      instance,
      clock: systemClock,
      logger: silentLogger,
    });
    started.push(one);
    return one;
  };
  const counting = (name = 'counting') => {
    const reclaimer = { name, runs: 0, reclaim: () => Promise.resolve({ name, reclaimed: ++reclaimer.runs }) };
    return reclaimer;
  };

  it('runs every Reclaimer, returns a report each, and a failing one keeps nobody from running', async () => {
    const broken = { name: 'broken', reclaim: () => Promise.reject(new Error('away')) };
    const counts = counting();
    expect(await scheduler('a', [broken, counts]).run()).toEqual([
      { name: 'broken', reclaimed: 0, detail: { failed: 1 } },
      { name: 'counting', reclaimed: 1 },
    ]);
  });

  it('runs in one process of the cluster, and all see what it did', async () => {
    const counts = counting();
    const schedulers = ['a', 'b', 'c'].map((name) => scheduler(name, [counts]));
    for (const one of schedulers) one.start();
    await until('a run has finished', async () => (await schedulers[0]!.lastRun()) !== undefined);
    await Promise.all(schedulers.map((one) => one.stop()));
    expect(counts.runs).toBe(1);
    expect(await schedulers[2]!.lastRun()).toMatchObject({ reports: [{ name: 'counting', reclaimed: 1 }] });
  });

  it('runs again when it is due, in whichever process is left', async () => {
    const counts = counting();
    const [a, b] = [scheduler('a', [counts], 1_000, 1_000), scheduler('b', [counts], 1_000, 1_000)];
    a.start();
    await until('the first run has finished', async () => (await a.lastRun()) !== undefined);
    await a.stop();
    b.start();
    await until('another process runs', async () => (await b.lastRun())?.instance === 'b');
    expect(counts.runs).toBeGreaterThan(1);
  });

  it('goes on in another process when the one that runs hangs past its lease, and ignores the report that comes too late', async () => {
    let finish = (): void => undefined;
    const hanging = {
      name: 'hanging',
      reclaim: () => new Promise<{ name: string; reclaimed: number }>((resolve) => { finish = () => resolve({ name: 'hanging', reclaimed: 9 }); }), // prettier-ignore
    };
    const counts = counting();
    const [a, b] = [scheduler('a', [hanging], 1_000, 1_000), scheduler('b', [counts], 1_000, 1_000)];
    a.start();
    await until('the first process runs', async () => (await pool.query(`select from ${schema}.reclaim where owner = 'a'`)).rowCount === 1); // prettier-ignore
    b.start();
    await until('another process has run', async () => (await b.lastRun())?.instance === 'b');
    await b.stop();
    finish();
    await a.stop();
    expect(await b.lastRun()).toMatchObject({ instance: 'b', reports: [{ name: 'counting' }] });
  });
});

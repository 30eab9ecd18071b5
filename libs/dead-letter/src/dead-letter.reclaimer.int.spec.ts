import { randomBytes } from 'node:crypto';
import { quoted, type Store } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { describeOn, testMessage } from '@tidings/testing';
import { Pool } from 'pg';
import { postgresAttempts } from './attempt-ledger';
import { DeadLetterReclaimer } from './dead-letter.reclaimer';
import { type DeadLetterRetentionOptions, deadLetterRetentionOptions } from './dead-letter-retention.options';
import { letterOf } from './letter.fixture';
import { deadLetterMigrations } from './migrations';
import { PostgresDeadLetters } from './postgres-dead-letters';
import { RedriveJobs } from './redrive-jobs';

const why = { by: 'Ada', reason: 'spec' };
const HOUR_MS = 3_600_000;
const NOTHING = { letters: 0, failures: 0, attempts: 0, jobs: 0 };

describeOn('postgres', "the dead letters' Reclaimer", (url) => {
  const schema = `letter_reclaim_${randomBytes(4).toString('hex')}`;
  const s = quoted(schema);
  let pool: Pool;
  let store: Store;
  let letters: PostgresDeadLetters;

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 3 });
    store = pg(pool, { schema });
    await migrate(store, deadLetterMigrations);
    letters = new PostgresDeadLetters(store);
  });
  beforeEach(() =>
    pool.query(`truncate ${s}.dead_letter, ${s}.failed_attempt, ${s}.attempt, ${s}.redrive_job cascade`),
  );
  afterAll(async () => {
    await pool.query(`drop schema ${s} cascade`);
    await store.close();
    await pool.end();
  });

  const reclaimer = (options: DeadLetterRetentionOptions = {}) =>
    new DeadLetterReclaimer(store, deadLetterRetentionOptions.parse(options));
  const detail = async (options?: DeadLetterRetentionOptions) => (await reclaimer(options).reclaim()).detail;
  const count = async (table: string): Promise<number> => (await pool.query(`select from ${s}.${table}`)).rowCount ?? 0;
  const identity = (id: string) => ({ direction: 'inbound' as const, place: 'g', message: testMessage({ id }) });
  /** Makes a table's rows as old as if they had been left by a worker who died then; one by itself is younger. */
  const age = (table: string, column: string, days: number) =>
    pool.query(`update ${s}.${table} set ${column} = ${column} - $1 * interval '1 day'`, [days]);

  it('forgets deaths and failed attempts of messages that never came back, after 30 days', async () => {
    const ledger = postgresAttempts(store);
    await ledger.begin(identity('gone'), 'dead-pod');
    await letters.note(letterOf());
    await age('attempt', 'began_at', 29);
    await age('failed_attempt', 'noted_at', 29);
    expect(await detail()).toEqual(NOTHING);
    await age('attempt', 'began_at', 2);
    await age('failed_attempt', 'noted_at', 2);
    await ledger.begin(identity('in hand'), 'living-pod');
    expect(await detail()).toEqual({ ...NOTHING, failures: 1, attempts: 1 });
    expect(await count('attempt')).toBe(1);
    expect((await ledger.begin(identity('gone'), 'pod')).deaths).toBe(0);
  });

  it('keeps settled letters and their audit for ever unless told otherwise, and those that wait in any case', async () => {
    for (const id of ['waits', 'settled']) await letters.bury(letterOf({ message: testMessage({ id }) }));
    await letters.discard((await letters.list({ messageId: 'settled' }))[0]!.id, why);
    await pool.query(`update ${s}.dead_letter set buried_at = buried_at - interval '10 years', settled_at = settled_at - interval '9 years'`); // prettier-ignore
    expect(await detail()).toEqual(NOTHING);
    expect(await count('dead_letter_audit')).toBe(1);
    expect(await detail({ settledRetentionMs: HOUR_MS })).toEqual({ ...NOTHING, letters: 1 });
    expect((await letters.list()).map(({ messageId }) => messageId)).toEqual(['waits']);
    expect(await count('dead_letter_audit')).toBe(0);
  });

  it('forgets redrive jobs that ended 30 days ago, and none that runs or waits', async () => {
    const jobs = new RedriveJobs(store);
    const [ended, paused, running] = [
      await jobs.start({ filter: {} }, why),
      await jobs.start({ filter: {} }, why),
      await jobs.start({ filter: {} }, why),
    ];
    await jobs.cancel(ended.id);
    await jobs.pause(paused.id);
    await age('redrive_job', 'created_at', 100);
    expect(await detail()).toEqual(NOTHING);
    await age('redrive_job', 'ended_at', 31);
    expect(await detail()).toEqual({ ...NOTHING, jobs: 1 });
    expect((await jobs.list()).map(({ id }) => id).sort()).toEqual([paused.id, running.id].sort());
  });

  it('works in pages, beside another that does the same, and leaves out what somebody holds', async () => {
    await pool.query(`insert into ${s}.attempt (letter_key, instance, began_at)
      select decode(md5(n::text), 'hex'), 'dead-pod', ${s}.now() - interval '31 days' from generate_series(1, 2500) n`);
    const held = await pool.connect();
    try {
      await held.query('begin');
      await held.query(`select from ${s}.attempt order by letter_key limit 1 for update`);
      const reports = await Promise.all([reclaimer().reclaim(), reclaimer().reclaim()]);
      expect(reports.reduce((sum, report) => sum + report.detail!['attempts']!, 0)).toBe(2_499);
    } finally {
      await held.query('rollback');
      held.release();
    }
    expect(await detail()).toEqual({ ...NOTHING, attempts: 1 });
  });

  it('looks nothing up without an index', async () => {
    const scans: string[] = [];
    const query = store.query.bind(store);
    store.query = async (statement) => {
      // With these off a plan has them only where no index serves: the tables are too small here for the planner to care.
      const client = await pool.connect();
      try {
        await client.query('set enable_seqscan = off; set enable_sort = off; set enable_bitmapscan = off');
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${statement.text}`, statement.values as unknown[]); // prettier-ignore
        scans.push(...rows.map((row) => row['QUERY PLAN']).filter((line) => /Seq Scan|Sort/.test(line)));
        await client.query('reset all');
      } finally {
        client.release();
      }
      return query(statement);
    };
    try {
      await detail({ settledRetentionMs: HOUR_MS });
    } finally {
      store.query = query;
    }
    expect(scans).toEqual([]);
  });
});

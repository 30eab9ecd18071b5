import { randomBytes } from 'node:crypto';
import { quoted, type Statement, type Store } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { describeOn, testMessage } from '@tidings/testing';
import { Pool } from 'pg';
import { failureOf, letterOf } from './letter.fixture';
import { deadLetterMigrations } from './migrations';
import { PostgresDeadLetters } from './postgres-dead-letters';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

/** Both grow with every failure. */
const GROWS = /^(dead_letter|failed_attempt|dead_letter_audit)$/;

describeOn('postgres', "the dead letters' plans", (url) => {
  const schema = `letter_plans_${randomBytes(4).toString('hex')}`;
  const s = quoted(schema);
  let pool: Pool;
  let store: Store;
  let letters: PostgresDeadLetters;
  const statements = new Map<string, Statement>();

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 1 });
    store = pg(pool, { schema });
    await migrate(store, deadLetterMigrations);
    letters = new PostgresDeadLetters(store);
    for (let n = 0; n < 20; n++) {
      const message = testMessage({ id: `m${n}`, key: `k${n % 3}` });
      await letters.bury(letterOf({ message, failures: [failureOf(n === 19 ? 'the needle' : 'hay')] }));
    }
    // Many more of the same, 5,100 in all, so that one statement cannot have looked at all of them.
    const columns = (await pool.query<{ name: string }>(
      'select column_name as name from information_schema.columns where table_schema = $1 and table_name = $2',
      [schema, 'dead_letter'],
    )).rows.map(({ name }) => name).filter((name) => name !== 'id' && name !== 'letter_key'); // prettier-ignore
    await pool.query(`insert into ${s}.dead_letter (letter_key, ${columns.join(', ')})
      select decode(md5(n || '/' || id), 'hex'), ${columns.join(', ')} from ${s}.dead_letter, generate_series(1, 254) n where message_id <> 'm19'
      order by n, id`);
    await letters.bury(letterOf({ message: testMessage({ id: 'last' }), failures: [failureOf('the needle')] }));
    // The planner believes in five millions: what it chooses for a small table is no matter.
    await pool.query(`analyze ${s}.dead_letter`);
    await pool.query(
      `update pg_class set reltuples = reltuples * 1000 where relnamespace = '${s}'::regnamespace and relname like 'dead_letter%' and reltuples > 0`,
    );
    const query = store.query.bind(store);
    store.query = (statement) => {
      statements.set(statement.text, statement);
      return query(statement);
    };
  }, 60_000);
  afterEach(() => statements.clear());
  afterAll(async () => {
    await pool.query(`drop schema ${s} cascade`);
    await store.close();
    await pool.end();
  });

  const explained = async (): Promise<Plan[]> => {
    const plans: Plan[] = [];
    for (const { text, values = [] } of [...statements.values()]) {
      const { rows } = await pool.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(`explain (format json) ${text}`, [
        ...values,
      ]);
      plans.push(...nodes(rows[0]!['QUERY PLAN'][0]!.Plan));
    }
    return plans;
  };
  const offences = (plans: readonly Plan[]): string[] =>
    plans
      .filter((node) => /Seq Scan|Bitmap/.test(node['Node Type']) && GROWS.test(node['Relation Name'] ?? ''))
      .map((node) => `${node['Node Type']} on ${node['Relation Name']}`);

  it('no statement for people scans what grows', async () => {
    const why = { by: 'Ada', reason: 'because' };
    const filters = [{}, { order: 'newest' }, { status: ['redriven'] }, { text: 'needle' }, { reason: 'x' }] as const;
    for (const filter of filters) await letters.list(filter);
    for (const by of ['failure', 'type', 'place'] as const) await letters.groups({ by, after: 'aa' });
    const [first, second] = await letters.list({ limit: 2 });
    await letters.find(first!.id);
    await letters.edit(first!.id, { ...why, payload: '1' });
    await letters.discard(first!.id, why);
    await letters.purge({ olderThanMs: 3_600_000 });
    await letters.bury(letterOf({ message: { ...(await letters.find(second!.id))!.message, generation: 1 } }));
    expect(statements.size).toBeGreaterThan(12);
    // With the planner's settings of Tidings' own connections, which `pool` has not: what is chosen without them must do as well or be told here.
    await pool.query('set enable_seqscan = off; set enable_bitmapscan = off');
    expect(offences(await explained())).toEqual([]);
  }, 60_000);

  it.each([
    [{ messageId: 'm1' }, 'dead_letter_message'],
    [{ key: 'k1', type: 'gift.sent' }, 'dead_letter_key'],
    [{ traceId: '0'.repeat(32) }, 'dead_letter_trace'],
    [{ failureFingerprint: '00' }, 'dead_letter_alike'],
    [{ type: 'room.closed' }, 'dead_letter_type'],
    [{ place: 'badges' }, 'dead_letter_place'],
    [{}, 'dead_letter_open'],
    [{ status: ['discarded'] }, 'dead_letter_pkey'],
  ] as const)('lists %j along %s, without a sort of more than it looks at', async (filter, index) => {
    await letters.list(filter);
    await pool.query('set enable_seqscan = off; set enable_bitmapscan = off');
    const plans = await explained();
    expect(plans.find((node) => node['Relation Name'] === 'dead_letter')).toMatchObject({ 'Index Name': index });
    const limit = plans.find((node) => node['Node Type'] === 'Limit' && nodes(node).some((one) => one['Index Name']));
    expect(nodes(limit!).map((node) => node['Node Type'])).not.toContain('Sort');
  });

  it('finds the last of thousands by its text, in statements that look at 2,000 each', async () => {
    let asked = 0;
    const query = store.query.bind(store);
    store.query = (statement) => {
      asked++;
      return query(statement);
    };
    const found = await letters.list({ text: 'needle', status: ['dead'] });
    store.query = query;
    expect(found.map(({ messageId }) => messageId)).toEqual(['m19', 'last']);
    expect(asked).toBeGreaterThanOrEqual(3);
  });
});

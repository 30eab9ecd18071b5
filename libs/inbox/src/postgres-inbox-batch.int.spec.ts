import { randomBytes } from 'node:crypto';
import {
  type HandlerDefinition,
  type Message,
  MessageContext,
  quoted,
  type Store,
  type Transaction,
} from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { describeOn, Gate, testMessage, until } from '@tidings/testing';
import { Pool } from 'pg';
import type { BatchOutcome } from './inbox-batch';
import { inboxEntryOf } from './inbox-entry';
import { InboxUnavailableError } from './inbox-store';
import { inboxMigrations } from './migrations';
import { PostgresInbox } from './postgres-inbox';
import { PostgresInboxBatch } from './postgres-inbox-batch';
import { sharedTransactions } from './shared-transactions';

const ranking = { group: 'ranking', topic: 'gift.sent' };
const entriesOf = (...messages: Message[]) => messages.map((message) => inboxEntryOf(ranking, message));
const kinds = (outcomes: readonly BatchOutcome[]): string[] => outcomes.map(({ kind }) => kind);

describeOn('postgres', 'PostgresInboxBatch', (url) => {
  const schema = `inbox_batch_${randomBytes(4).toString('hex')}`;
  let pool: Pool;
  let store: Store;
  let inbox: PostgresInboxBatch;
  let today: string;
  let yesterday: string;

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 6 });
    store = pg(pool, { schema, connections: 2 });
  });
  beforeEach(async () => {
    await migrate(store, inboxMigrations);
    await pool.query(`create table ${quoted(schema)}.effect (id text)`);
    inbox = batchOf(300);
    const days =
      await pool.query(`select to_char(d, 'YYYY-MM-DD') as day from (select ${quoted(schema)}.now() at time zone 'UTC' - n * interval '1 day' as d
      from generate_series(0, 1) n) x`);
    [today, yesterday] = days.rows.map(({ day }) => day) as [string, string];
  });
  afterEach(() => pool.query(`drop schema ${quoted(schema)} cascade`));
  afterAll(async () => {
    await store.close();
    await pool.end();
  });

  const batchOf = (lockTimeoutMs: number) => {
    const options = { retentionDays: 5, lockTimeoutMs };
    return new PostgresInboxBatch(store, new PostgresInbox(store, options).buckets, options);
  };
  const effect = (transaction: Transaction, id: string) =>
    transaction.query({ text: `insert into ${quoted(schema)}.effect values ($1)`, values: [id] });
  const effects = async (): Promise<string[]> =>
    (await pool.query(`select id from ${quoted(schema)}.effect order by id`)).rows.map(({ id }) => id);
  const gift = (id: string, more: Parameters<typeof testMessage>[0] = {}) =>
    testMessage({ id, bucket: today, ...more });
  const handling =
    (messages: readonly Message[], then: () => Promise<unknown> = () => Promise.resolve()) =>
    async (transaction: Transaction, outcomes: readonly BatchOutcome[]) => {
      for (const [at, { kind }] of outcomes.entries())
        if (kind === 'fresh') await effect(transaction, messages[at]!.id);
      await then();
      return [];
    };

  it('files what is there, hands over only what is new, and tells what became of each', async () => {
    const [a, b, c] = [gift('a'), gift('b'), gift('c')];
    await inbox.onceEach(entriesOf(a), handling([a]));
    const messages = [a, b, gift('a', { payload: { other: true } }), c, b];
    const outcomes = await inbox.onceEach(entriesOf(...messages), handling(messages));
    // Of an id that comes twice with two contents the second waits for what becomes of the first.
    expect(outcomes).toEqual([
      { kind: 'duplicate' },
      { kind: 'fresh' },
      { kind: 'busy' },
      { kind: 'fresh' },
      { kind: 'copy', of: 1 },
    ]);
    expect(await effects()).toEqual(['a', 'b', 'c']);
    const again = [gift('a', { payload: { other: true } }), b];
    expect(kinds(await inbox.onceEach(entriesOf(...again), handling(again)))).toEqual(['conflict', 'duplicate']);
  });

  it('never dead-locks with a batch of the same messages in the opposite order: one waits for the other', async () => {
    const patient = batchOf(30_000);
    for (let round = 0; round < 10; round++) {
      const messages = Array.from({ length: 40 }, (_, n) =>
        gift(`${round}-${n}`, { bucket: n % 2 ? today : yesterday }),
      );
      const opposite = [...messages].reverse();
      const [one, other] = await Promise.all([
        patient.onceEach(entriesOf(...messages), handling(messages)),
        patient.onceEach(entriesOf(...opposite), handling(opposite)),
      ]);
      expect(new Set([...kinds(one), ...kinds(other)])).toEqual(new Set(['fresh', 'duplicate']));
      const fresh = [one, other].filter((outcomes) => outcomes.every(({ kind }) => kind === 'fresh'));
      expect(fresh).toHaveLength(1);
    }
    expect(await effects()).toHaveLength(400);
  });

  it('is busy, all of it and without its work, when a row stays locked; as settlements: retries that count as no attempt', async () => {
    const [began, mayEnd] = [new Gate(), new Gate()];
    const messages = [gift('a'), gift('b'), gift('c')];
    const first = inbox.onceEach(
      entriesOf(messages[1]!),
      handling([messages[1]!], async () => {
        began.open();
        await mayEnd.opened;
      }),
    );
    await began.opened;
    const work = jest.fn();
    const busy = await inbox.onceEach(entriesOf(...messages), work);
    const handler = { level: 'effectivelyOnce', store: 'main', subscription: ranking } as unknown as HandlerDefinition;
    const shared = sharedTransactions({ stores: () => store, inboxOf: () => inbox, againAfterMs: 44 })(handler);
    const contexts = messages.map(
      (message) =>
        new MessageContext({ message, attempt: 1, redelivered: false }, handler, new AbortController().signal),
    );
    const verdicts = await shared(contexts, work);
    mayEnd.open(); // before anything is judged: an open transaction would hold up the end of this spec
    await first;
    expect(kinds(busy)).toEqual(['busy', 'busy', 'busy']);
    for (const verdict of verdicts)
      expect(verdict).toMatchObject({ kind: 'settled', settlement: { kind: 'retry', counted: false } });
    expect(work).not.toHaveBeenCalled();
    expect(kinds(await inbox.onceEach(entriesOf(...messages), handling(messages)))).toEqual([
      'fresh',
      'duplicate',
      'fresh',
    ]);
  });

  it('makes the buckets that are missing, several at once, and refuses by themselves those that no inbox files', async () => {
    const messages = [
      gift('a'),
      gift('b', { bucket: yesterday }),
      gift('c', { bucket: null }),
      gift('d', { bucket: '2001-01-01' }),
      gift('e', { bucket: '2999-02-30' }),
      gift('f', { bucket: 'nonsense' }),
    ];
    const outcomes = await inbox.onceEach(entriesOf(...messages), handling(messages));
    expect(kinds(outcomes)).toEqual(['fresh', 'fresh', 'fresh', 'outside', 'unfit', 'unfit']);
    expect(await effects()).toEqual(['a', 'b', 'c']);
    expect(kinds(await inbox.onceEach(entriesOf(...messages), handling(messages)))).toEqual([
      ...['duplicate', 'duplicate', 'duplicate'],
      ...['outside', 'unfit', 'unfit'],
    ]);
  });

  it('says which cannot be filed when it is alone; of several it rejects, and nothing is filed', async () => {
    const messages = [gift('a'), gift('b', { generation: 2 ** 40 })];
    const work = jest.fn();
    await expect(inbox.onceEach(entriesOf(...messages), work)).rejects.toMatchObject({ code: '22003' });
    expect(kinds(await inbox.onceEach(entriesOf(messages[1]!), work))).toEqual(['unfit']);
    expect(work).not.toHaveBeenCalled();
    expect(kinds(await inbox.onceEach(entriesOf(messages[0]!), handling(messages)))).toEqual(['fresh']);
  });

  it('forgets all when its work throws, and those alone whose effect was rolled back', async () => {
    const messages = [gift('a'), gift('b'), gift('c')];
    const failing = inbox.onceEach(
      entriesOf(...messages),
      handling(messages, () => Promise.reject(new Error('no'))),
    );
    await expect(failing).rejects.toThrow('no');
    await inbox.onceEach(entriesOf(...messages), async () => [1]);
    expect(kinds(await inbox.onceEach(entriesOf(...messages), async () => []))).toEqual([
      'duplicate',
      'fresh',
      'duplicate',
    ]);
    expect(await effects()).toEqual([]);
  });

  it('gives its work the lock time-out that the transaction had', async () => {
    let found: unknown;
    await inbox.onceEach(entriesOf(gift('a'), gift('b')), async (transaction) => {
      found = (
        await transaction.query<{ setting: string }>({ text: `select current_setting('lock_timeout') as setting` })
      ).rows;
      return [];
    });
    expect(found).toEqual([{ setting: '0' }]);
  });

  it('says that it is unavailable when its tables are missing', async () => {
    await pool.query(`drop table ${quoted(schema)}.inbox cascade`);
    const work = jest.fn();
    await expect(inbox.onceEach(entriesOf(gift('a'), gift('b')), work)).rejects.toBeInstanceOf(InboxUnavailableError);
    expect(work).not.toHaveBeenCalled();
    await until('no transaction is open', async () => {
      const { rows } = await pool.query(
        `select 1 from pg_stat_activity where state like 'idle in%' and query like '%${schema}%'`,
      );
      return rows.length === 0;
    });
  });
});

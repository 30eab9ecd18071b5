import { randomBytes } from 'node:crypto';
import { accept, quoted, type Store } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { describeOn, Gate, testMessage, until } from '@tidings/testing';
import { Pool } from 'pg';
import { inboxEntryOf } from './inbox-entry';
import { type InboxHarness, inboxStoreConformance } from './inbox-store.conformance';
import { InboxUnavailableError } from './inbox-store';
import { inboxMigrations } from './migrations';
import { PostgresInbox } from './postgres-inbox';
import { createBucket } from './sql/create-bucket';

const RETENTION_DAYS = 5;
const ranking = { group: 'ranking', topic: 'gift.sent' };

describeOn('postgres', 'PostgresInbox', (url) => {
  const schema = `inbox ${randomBytes(4).toString('hex')}`;
  const s = quoted(schema);
  let pool: Pool;
  let store: Store;
  let inbox: PostgresInbox;

  beforeAll(async () => {
    pool = new Pool({ connectionString: url, max: 8, options: '-c timezone=Pacific/Kiritimati' }); // dates must not depend on it
    store = pg(pool, { schema });
  });
  beforeEach(async () => {
    await migrate(store, inboxMigrations);
    await pool.query(`create table ${s}.effect (at int)`);
    inbox = new PostgresInbox(store, { retentionDays: RETENTION_DAYS, lockTimeoutMs: 300 });
  });
  afterEach(() => pool.query(`drop schema ${s} cascade`));
  afterAll(async () => {
    await store.close();
    await pool.end();
  });

  const setDaysAhead = (days: number) =>
    pool.query(`create or replace function ${s}.now() returns timestamptz language sql volatile parallel safe as
      $$ select clock_timestamp() + interval '${days} days' $$`);
  const day = async (daysAgo = 0): Promise<string> =>
    (
      await pool.query(`select to_char((${s}.now() at time zone 'UTC')::date - $1::int, 'YYYY-MM-DD') as day`, [
        daysAgo,
      ])
    ).rows[0].day;
  const partitions = async (): Promise<string[]> =>
    (
      await pool.query(
        `select c.relname from pg_inherits p join pg_class c on c.oid = p.inhrelid where p.inhparent = to_regclass($1) order by 1`,
        [`${s}.inbox`],
      )
    ).rows.map(({ relname }) => relname);
  const nameOf = (bucket: string): string => `inbox_${bucket.replaceAll('-', '')}`;

  const harness = (): InboxHarness => ({
    inbox,
    effect: async (transaction) => void (await transaction!.query({ text: `insert into ${s}.effect values (1)` })),
    effects: async () => (await pool.query(`select count(*)::int as n from ${s}.effect`)).rows[0].n,
    setDaysAhead: async (days) => void (await setDaysAhead(days)),
    day,
    retentionDays: RETENTION_DAYS,
    dropExpired: () => inbox.buckets.dropExpired(),
  });
  inboxStoreConformance(harness);

  it('makes the buckets of today and tomorrow ahead, from several processes at once', async () => {
    const others = Array.from({ length: 3 }, () => new PostgresInbox(store).buckets);
    await Promise.all([inbox.buckets, ...others].map((buckets) => buckets.prepare()));
    expect(await partitions()).toEqual([nameOf(await day()), nameOf(await day(-1)), 'inbox_foreign']);
  });

  it('counts days by UTC, whatever the time zone of its sessions', async () => {
    await pool.query(`create or replace function ${s}.now() returns timestamptz language sql volatile parallel safe as
      $$ select timestamptz '2026-02-28T23:59:59Z' $$`);
    await inbox.buckets.prepare();
    expect(await partitions()).toEqual(['inbox_20260228', 'inbox_20260301', 'inbox_foreign']);
  });

  it('does not make a bucket again that another process, of a shorter retention, has given up meanwhile', async () => {
    const bucket = await day(3);
    await new PostgresInbox(store, { retentionDays: 2 }).buckets.dropExpired();
    await createBucket(store, bucket); // what a process does that has read the horizon before
    expect(await partitions()).toEqual(['inbox_foreign']);
    const outcome = await inbox.once(inboxEntryOf(ranking, testMessage({ bucket })), async () => accept);
    expect(outcome).toEqual({ kind: 'outside', horizon: await day(2) });
  });

  it('drops expired buckets only, and pages through foreign entries', async () => {
    const bucket = await day();
    await inbox.once(inboxEntryOf(ranking, testMessage({ bucket })), async () => accept);
    await pool.query(`insert into ${s}.inbox (bucket, generation, digest, subscription, fingerprint)
      select '-infinity', n, '', '', '' from generate_series(1, 2500) n`);
    expect(await inbox.buckets.dropExpired()).toEqual({ dropped: [], busy: [], foreignDeleted: 0 });
    await setDaysAhead(RETENTION_DAYS + 1);
    expect(await inbox.buckets.dropExpired()).toEqual({ dropped: [bucket], busy: [], foreignDeleted: 2500 });
    expect(await partitions()).toEqual(['inbox_foreign']);
  });

  it('leaves a bucket that a handler still uses to the next run, and does not hold up other messages meanwhile', async () => {
    const bucket = await day();
    const slow = inboxEntryOf(ranking, testMessage({ bucket }));
    const [began, mayEnd] = [new Gate(), new Gate()];
    const first = inbox.once(slow, async () => {
      began.open();
      await mayEnd.opened;
      return accept;
    });
    await began.opened;
    await setDaysAhead(RETENTION_DAYS + 1);
    const report = await inbox.buckets.dropExpired();
    const other = await inbox.once(inboxEntryOf(ranking, testMessage({ bucket: await day() })), async () => accept);
    const copy = await inbox.once(slow, async () => accept);
    mayEnd.open(); // before anything is judged: an open transaction would hold up the end of this spec
    expect([await first, other, copy]).toMatchObject([{ kind: 'handled' }, { kind: 'handled' }, { kind: 'outside' }]);
    expect(report).toMatchObject({ dropped: [], busy: [bucket] });
    expect(await inbox.buckets.dropExpired()).toMatchObject({ dropped: [bucket], busy: [] });
  });

  it('drops an expired bucket while handlers hold transactions in others', async () => {
    const bucket = await day(RETENTION_DAYS);
    await inbox.once(inboxEntryOf(ranking, testMessage({ bucket })), async () => accept);
    await setDaysAhead(1);
    // The pool gives back the connection used last: it has met today's bucket then. The first insert of a connection into a bucket locks the parent.
    await inbox.once(inboxEntryOf(ranking, testMessage({ bucket: await day() })), async () => accept);
    await inbox.once(inboxEntryOf(ranking, testMessage({ bucket: await day() })), async () => accept);
    const [began, mayEnd] = [new Gate(), new Gate()];
    const first = inbox.once(inboxEntryOf(ranking, testMessage({ bucket: await day() })), async () => {
      began.open();
      await mayEnd.opened;
      return accept;
    });
    await began.opened;
    const report = await inbox.buckets.dropExpired();
    mayEnd.open();
    await first;
    expect(report).toMatchObject({ dropped: [bucket], busy: [] });
  });

  it('attaches a bucket while handlers hold transactions in others', async () => {
    const [began, mayEnd] = [new Gate(), new Gate()];
    const first = inbox.once(inboxEntryOf(ranking, testMessage({ bucket: await day() })), async () => {
      began.open();
      await mayEnd.opened;
      return accept;
    });
    await began.opened;
    await inbox.buckets.prepare();
    mayEnd.open();
    await first;
    expect(await partitions()).toContain(nameOf(await day(-1)));
  });

  it('gives the handler a transaction with the lock time-out that it had before', async () => {
    const seen = await store.run(async (before) => {
      const { rows } = await before.query<{ lock_timeout: string }>({ text: 'show lock_timeout' });
      return rows[0]!.lock_timeout;
    });
    let found = '';
    await inbox.once(inboxEntryOf(ranking, testMessage()), async (transaction) => {
      found = (await transaction!.query<{ lock_timeout: string }>({ text: 'show lock_timeout' })).rows[0]!.lock_timeout;
      return accept;
    });
    expect(found).toBe(seen);
    expect(found).not.toBe('300ms');
  });

  it("does not need a second connection of the user's pool, not even to make a bucket", async () => {
    const narrow = new Pool({ connectionString: url, max: 1 });
    const narrowStore = pg(narrow, { schema });
    const narrowInbox = new PostgresInbox(narrowStore);
    const entries = Array.from({ length: 5 }, () => inboxEntryOf(ranking, testMessage()));
    const outcomes = await Promise.all(entries.map((entry) => narrowInbox.once(entry, async () => accept)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(entries.map(() => 'handled'));
    await narrowStore.close();
    await narrow.end();
  });

  it('says that it is unavailable, and does not run the handler, when its tables are missing', async () => {
    await pool.query(`drop table ${s}.inbox cascade`);
    let ran = false;
    const failed = inbox.once(inboxEntryOf(ranking, testMessage()), async () => {
      ran = true;
      return accept;
    });
    await expect(failed).rejects.toBeInstanceOf(InboxUnavailableError);
    expect(ran).toBe(false);
  });

  it('waits for a copy that is being handled before it seals', async () => {
    const entry = inboxEntryOf(ranking, testMessage());
    const [began, mayEnd] = [new Gate(), new Gate()];
    const first = inbox.once(entry, async () => {
      began.open();
      await mayEnd.opened;
      return accept;
    });
    await began.opened;
    const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%' || $1 || '%'`;
    const sealed = new PostgresInbox(store, { lockTimeoutMs: 20_000 }).seal(entry);
    await until('the seal waits', async () => (await pool.query(waiting, [schema])).rowCount === 1);
    mayEnd.open();
    await first;
    expect(await sealed).toBe('handled');
    await expect(inbox.seal(entry)).resolves.toBe('handled');
  });
});

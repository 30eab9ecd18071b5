import { describeOn, testMessage, until } from '@tidings/testing';
import type { PoolClient } from 'pg';
import type { MessageLog } from './message-log';
import { entryOf, SpecLog, Taken } from './spec-log.fixture';

describeOn('postgres', 'reading the log', (url) => {
  let spec: SpecLog;
  let log: MessageLog;
  let destination: number;
  let taken: Taken;
  const clients: PoolClient[] = [];

  beforeEach(async () => {
    spec = await SpecLog.open(url);
    log = spec.log();
    destination = await log.destination('main', 'gift.sent');
    taken = new Taken();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.release();
    await spec.close();
  });

  const begin = async (): Promise<PoolClient> => {
    const client = await spec.pool.connect();
    clients.push(client);
    await client.query('begin');
    return client;
  };
  /** `spec.pool`'s store is the first one opened: join through it. */
  const append = (client: PoolClient, id: string, key = 'room-1'): Promise<void> =>
    joining.append(joining.store.join(client), [entryOf(testMessage({ id, key }), destination)]);
  let joining: MessageLog;
  beforeEach(() => {
    joining = log;
  });

  it('a transaction that commits late is not skipped', async () => {
    await spec.reader(log, destination, taken.deliver);
    const [late, early] = [await begin(), await begin()];
    await append(late, 'late');
    await append(early, 'early');
    await early.query('commit');
    await until('the early one', () => taken.ids.includes('early'));
    await late.query('commit');
    await until('the late one', () => taken.ids.includes('late'));
    expect(taken.ids).toEqual(['early', 'late']);
  });

  it('what rolls back is never read, and leaves no gap in the sequence', async () => {
    const [kept, gone, partly] = [await begin(), await begin(), await begin()];
    await append(kept, '1');
    await append(gone, 'rolled back');
    await append(partly, '2');
    await partly.query('savepoint s');
    await append(partly, 'rolled back to the savepoint');
    await partly.query('rollback to s');
    await append(partly, '3');
    await gone.query('rollback');
    await kept.query('commit');
    await partly.query('commit');
    await spec.reader(log, destination, taken.deliver);
    await until('all', () => taken.ids.length >= 3);
    expect(taken.ids).toEqual(['1', '2', '3']);
    expect(taken.messages.map(({ stamp }) => stamp.sequence)).toEqual([1, 2, 3]);
  });

  it('two transactions that wrote under one row lock keep its order, though their transaction ids are inverted', async () => {
    await spec.pool.query(
      `create table ${spec.schema}.room (id int primary key); insert into ${spec.schema}.room values (1)`,
    );
    const [second, first] = [await begin(), await begin()];
    await second.query('select pg_current_xact_id()'); // draws the lower id, and takes the lock later
    const lock = `select 1 from ${spec.schema}.room where id = 1 for update`;
    await first.query(lock);
    await append(first, 'first');
    const locked = second.query(lock);
    await first.query('commit');
    await locked;
    await append(second, 'second');
    await second.query('commit');
    await spec.reader(log, destination, taken.deliver);
    await until('both', () => taken.ids.length === 2);
    expect(taken.ids).toEqual(['first', 'second']);
  });

  it('a window larger than a batch is read in pages, in order; another reader goes on inside it', async () => {
    const messages = Array.from({ length: 500 }, (_, n) => testMessage({ id: String(n), key: 'room-1' }));
    await log.appendAlone(messages.map((message) => entryOf(message, destination)));
    const first = await spec.reader(log, destination, taken.deliver, { batch: 20 });
    await until('some pages', () => taken.ids.length >= 100);
    await first.stop();
    const before = taken.ids.length;
    expect(before).toBeLessThan(500);
    const open = await spec.pool.query(`select 1 from ${spec.schema}.cursor where progress is not null`);
    expect(open.rowCount).toBe(1);
    await spec.reader(spec.log(), destination, taken.deliver, { batch: 20 });
    await until('the rest', () => taken.ids.length >= 500);
    expect(taken.ids).toEqual(messages.map(({ id }) => id));
    expect(taken.messages.map(({ stamp }) => stamp.sequence)).toEqual(messages.map((_, n) => n + 1));
    expect(Math.max(...taken.batches)).toBe(20);
    expect(taken.messages.at(-1)?.stamp).toMatchObject({ epoch: 2, epochStart: before + 1 });
  });

  it('the cursor passes only what is done, counted from the front; the rest comes again', async () => {
    const messages = Array.from({ length: 10 }, (_, n) => testMessage({ id: String(n), key: 'room-1' }));
    await log.appendAlone(messages.map((message) => entryOf(message, destination)));
    const seen: string[][] = [];
    let reluctant = true;
    await spec.reader(log, destination, (batch) => {
      seen.push(batch.messages.map(({ message }) => message.id));
      const done = reluctant ? 4 : batch.messages.length;
      reluctant = false;
      return Promise.resolve(done);
    });
    await until('the rest', () => seen.length === 2);
    expect(seen).toEqual([messages.map(({ id }) => id), ['4', '5', '6', '7', '8', '9']]);
  });

  it('what a reader that stops had not done goes to the next, counted from the front of its batch', async () => {
    const messages = Array.from({ length: 10 }, (_, n) => testMessage({ id: String(n), key: 'room-1' }));
    await log.appendAlone(messages.map((message) => entryOf(message, destination)));
    const seen: number[] = [];
    const first = await spec.reader(log, destination, (batch) => {
      seen.push(batch.messages.length);
      return Promise.resolve(seen.length === 1 ? 4 : 0);
    });
    await until('the first four', () => seen.length > 1);
    await first.stop();
    await spec.reader(log, destination, taken.deliver);
    await until('the rest', () => taken.ids.length >= 6);
    expect(taken.ids).toEqual(['4', '5', '6', '7', '8', '9']);
  });

  it('a hand-over that throws loses nothing', async () => {
    await log.appendAlone([entryOf(testMessage({ id: 'a' }), destination)]);
    let failures = 3;
    await spec.reader(log, destination, (batch) => {
      if (failures-- > 0) return Promise.reject(new Error('the broker is away'));
      return taken.deliver(batch);
    });
    await until('the message', () => taken.ids.includes('a'));
    expect(failures).toBe(-1);
  });

  it('a former owner can move no cursor', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let asked = 0;
    const reader = await spec.reader(log, destination, async (batch) => {
      asked += 1;
      await held;
      return taken.deliver(batch);
    });
    await log.appendAlone([entryOf(testMessage({ id: 'a', key: 'k' }), destination)]);
    await until('the hand-over', () => asked === 1);
    const before = await spec.pool.query(`select * from ${spec.schema}.cursor where count > 0`);
    await spec.pool.query(
      `update ${spec.schema}.cursor set epoch = epoch + 1, owner = 'somebody else', lease_until = 'infinity'`,
    );
    release();
    await until('the late answer', () => taken.ids.length === 1);
    await reader.stop(); // whatever it does about the cursor is done
    const { rows } = await spec.pool.query(`select count(*)::int as n from ${spec.schema}.cursor where count > 0`);
    expect([before.rowCount, rows]).toEqual([0, [{ n: 0 }]]);
  });
});

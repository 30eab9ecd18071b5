import { LANES, laneOf } from '@tidings/core';
import { describeOn, testMessage, until } from '@tidings/testing';
import { DueMover } from './due-mover';
import { systemClock, silentLogger } from '@tidings/core';
import type { MessageLog } from './message-log';
import { entryOf, SpecLog, Taken } from './spec-log.fixture';

describeOn('postgres', 'writing to the log', (url) => {
  let spec: SpecLog;
  let log: MessageLog;
  let destination: number;
  let taken: Taken;

  beforeEach(async () => {
    spec = await SpecLog.open(url);
    log = spec.log();
    destination = await log.destination('main', 'gift.sent');
    taken = new Taken();
  });
  afterEach(() => spec.close());

  const rows = async (sql: string): Promise<Record<string, unknown>[]> =>
    (await spec.pool.query(sql)).rows as Record<string, unknown>[];

  it.each([1, 3])('keeps all of a message, %d at a time: bytes, checksum, headers, key', async (count) => {
    const messages = Array.from({ length: count }, (_, n) =>
      testMessage({
        id: `id '"\\ ${n} 🎁`,
        key: n === 1 ? null : 'Räume/1',
        payload: Buffer.from([0, 1, 2, 0xff, 0xfe, 0x5c, 0x27, n]),
        contentType: 'application/octet-stream',
        headers: n === 2 ? {} : { 'x-Ünicode': '值 "quoted" \\', tenant: 't1' },
        version: 3,
        generation: 2,
      }),
    );
    await spec.reader(log, destination, taken.deliver);
    await log.appendAlone(
      messages.map((message) => entryOf(message, destination, { fresh: false, attempts: 4, optional: true })),
    );
    await until('all', () => taken.ids.length === count);
    const read = messages.map(({ id }) => taken.messages.find(({ message }) => message.id === id)!);
    expect(read.map(({ message }) => message)).toEqual(messages);
    expect(read[0]).toMatchObject({ attempts: 4, optional: true, redelivered: false });
  });

  it("a fresh message takes the database's time and date, though this process's clock is an hour off", async () => {
    const wrong = testMessage({ time: '1999-01-01T00:00:00.000Z', bucket: '1999-01-01' });
    await log.appendAlone([entryOf(wrong, destination)]);
    expect(
      await rows(
        `select bucket = ${spec.schema}.now()::date as bucket, created_at > ${spec.schema}.now() - interval '1 minute' as at from ${spec.schema}.message`,
      ),
    ).toEqual([{ bucket: true, at: true }]);
  });

  it('one INSERT for many messages, in the order given, each in the lane of its key', async () => {
    const statements: string[] = [];
    const messages = Array.from({ length: 50 }, (_, n) => testMessage({ id: `m${n}`, key: `k${n % 5}` }));
    await log.store.run(async (transaction) => {
      const counting: typeof transaction = {
        query: (statement) => {
          statements.push(statement.text);
          return transaction.query(statement);
        },
        afterCommit: (hook) => transaction.afterCommit(hook),
      };
      await log.append(counting, messages.map((message) => entryOf(message, destination))); // prettier-ignore
    });
    expect(statements).toHaveLength(1);
    expect(await rows(`select id, lane from ${spec.schema}.message order by seq`)).toEqual(
      messages.map((message) => ({ id: message.id, lane: laneOf(message) })),
    );
  });

  it('destinations and readers registered by many at once are one, with one cursor a lane', async () => {
    const logs = [log, spec.log(), spec.log(), spec.log()];
    const ids = await Promise.all(logs.map((one) => one.destination('main', 'new.topic')));
    expect(new Set(ids).size).toBe(1);
    const readers = await Promise.all(logs.map((one) => one.reader('g', ids[0]!, 'now')));
    expect(new Set(readers).size).toBe(1);
    expect(await rows(`select count(*)::int as n from ${spec.schema}.cursor`)).toEqual([{ n: LANES }]);
  });

  it('a message for later waits in its table, survives, and moves into the log once, with the bucket of its day', async () => {
    await spec.reader(log, destination, taken.deliver);
    await log.appendAlone([
      entryOf(testMessage({ id: 'later' }), destination, { delayMs: 300 }),
      entryOf(testMessage({ id: 'next week' }), destination, { delayMs: 7 * 86_400_000 }),
      entryOf(testMessage({ id: 'now' }), destination),
    ]);
    await until('the one for now', () => taken.ids.includes('now'));
    expect(taken.ids).toEqual(['now']);
    const movers = [log, spec.log(), spec.log()].map(
      (one) => new DueMover(one, { pollMs: 60_000, clock: systemClock, logger: silentLogger }),
    );
    await Promise.all(movers.map((mover) => mover.start()));
    await until('the later one', () => taken.ids.includes('later'));
    await Promise.all(movers.map((mover) => mover.stop()));
    expect(taken.ids).toEqual(['now', 'later']);
    expect(
      await rows(
        `select message_id, bucket = (${spec.schema}.now() + interval '7 days')::date as bucket from ${spec.schema}.due`,
      ),
    ).toEqual([{ message_id: 'next week', bucket: true }]);
  });

  it('the backlog counts what a reader has not passed, no further than asked', async () => {
    await log.reader('slow', destination, 'now');
    await log.appendAlone(Array.from({ length: 30 }, () => entryOf(testMessage(), destination)));
    expect(await log.backlog()).toEqual([{ reader: 'slow', transport: 'main', topic: 'gift.sent', messages: 30 }]);
    expect((await log.backlog(10))[0]?.messages).toBe(10);
    await spec.reader(log, destination, taken.deliver, { name: 'slow' });
    await until('none left', async () => (await log.backlog())[0]?.messages === 0);
  });
});

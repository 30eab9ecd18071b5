import { describeOn, testMessage, until } from '@tidings/testing';
import { entryOf, SpecLog, Taken } from './spec-log.fixture';
import type { MessageLog } from './message-log';

/** A poll so rare that only signals can explain what arrives. */
const NO_POLL = { pollMs: 600_000 };

describeOn('postgres', 'sharing the log between processes', (url) => {
  let spec: SpecLog;
  let log: MessageLog;
  let destination: number;

  beforeEach(async () => {
    spec = await SpecLog.open(url);
    log = spec.log();
    destination = await log.destination('main', 'gift.sent');
  });
  afterEach(() => spec.close());

  it('two readers of one name share the lanes evenly; the one that stays gets all', async () => {
    const taken = new Taken();
    const first = await spec.reader(log, destination, taken.deliver);
    expect(first.lanes).toBe(64);
    const second = await spec.reader(spec.log(), destination, taken.deliver);
    await until('an even share', () => first.lanes === 32 && second.lanes === 32);
    await first.stop();
    await until('all lanes', () => second.lanes === 64);
  });

  it('a commit wakes the readers of another process at once', async () => {
    const taken = new Taken();
    await spec.reader(spec.log(), destination, taken.deliver, NO_POLL);
    for (const id of ['a', 'b', 'c']) {
      await log.appendAlone([entryOf(testMessage({ id }), destination)]);
      await until(`message ${id}`, () => taken.ids.includes(id), { withinMs: 2_000 });
    }
    expect(taken.ids).toEqual(['a', 'b', 'c']);
  });

  it('two names both read everything', async () => {
    const [one, two] = [new Taken(), new Taken()];
    await spec.reader(log, destination, one.deliver, { name: 'one' });
    await spec.reader(log, destination, two.deliver, { name: 'two' });
    const ids = Array.from({ length: 100 }, (_, n) => `m${n}`);
    await log.appendAlone(ids.map((id) => entryOf(testMessage({ id }), destination)));
    await until('all at both', () => one.ids.length === 100 && two.ids.length === 100);
    expect([...one.ids].sort()).toEqual([...two.ids].sort());
  });

  it('writers on row-locked keys, roll-backs and readers that come and go: nothing lost, invented or swapped', async () => {
    await spec.pool.query(`create table ${spec.schema}.room (key text primary key, n int not null default 0)`);
    const keys = Array.from({ length: 12 }, (_, n) => `room-${n}`);
    await spec.pool.query(`insert into ${spec.schema}.room select unnest($1::text[])`, [keys]);
    const committed = new Map<string, string[]>(keys.map((key) => [key, []]));
    const store = log.store;

    const write = async (turn: number): Promise<void> => {
      const key = keys[(turn * 7) % keys.length]!;
      await store
        .run(async (transaction) => {
          if (turn % 3 === 0) await transaction.query({ text: 'select pg_current_xact_id()' }); // an id drawn before the lock
          const { rows } = await transaction.query<{ n: number }>({
            text: `update ${spec.schema}.room set n = n + 1 where key = $1 returning n`,
            values: [key],
          });
          const id = `${key}/${rows[0]!.n}/${turn}`;
          await log.append(transaction, [entryOf(testMessage({ id, key }), destination)]);
          if (turn % 5 === 0) throw new Error('changed its mind');
          committed.get(key)![rows[0]!.n - 1] = id;
        })
        .catch((error: Error) => expect(error.message).toBe('changed its mind'));
    };
    const writers = Array.from({ length: 6 }, async (_, w) => {
      for (let turn = w; turn < 900; turn += 6) await write(turn);
    });

    const taken = new Taken();
    const options = { batch: 7, leaseMs: 500 };
    let writing = true;
    const readers = [0, 1].map(async () => {
      const own = spec.log(); // one a reader: each has connections of its own
      while (writing) {
        const reader = await spec.reader(own, destination, taken.deliver, options);
        const enough = taken.ids.length + 60;
        await until('some more', () => !writing || taken.ids.length >= enough, { withinMs: 20_000 });
        await reader.stop();
      }
    });
    await Promise.all(writers);
    writing = false;
    await Promise.all(readers);
    await spec.reader(spec.log(), destination, taken.deliver, options);
    const expected = [...committed.values()].flat();
    await until('everything', () => new Set(taken.ids).size >= expected.length, { withinMs: 20_000 });

    expect(expected).toHaveLength(720);
    expect([...new Set(taken.ids)].sort()).toEqual([...expected].sort());
    const firsts = [...new Set(taken.ids)];
    for (const [key, ids] of committed) expect(firsts.filter((id) => id.startsWith(`${key}/`))).toEqual(ids);
  }, 60_000);
});

import { type Closeable, type Statement, systemClock } from '@tidings/core';
import { describeOn, testMessage, until } from '@tidings/testing';
import type { MessageLog } from './message-log';
import { rotationOptions } from './segment-rotation';
import { entryOf, SpecLog, Taken } from './spec-log.fixture';

const PATIENT = { leaseMs: 30_000, pollMs: 300 };
describeOn('postgres', 'one look for all that a process reads', (url) => {
  let spec: SpecLog;
  let log: MessageLog;
  let destination: number;
  const joined: Closeable[] = [];
  const join = async (over?: Parameters<typeof rotationOptions.parse>[0]): Promise<Closeable> => {
    const user = await log.upkeep.join({ pollMs: 300, rotation: rotationOptions.parse(over ?? {}) });
    joined.push(user);
    return user;
  };

  beforeEach(async () => {
    spec = await SpecLog.open(url);
    log = spec.log();
    destination = await log.destination('main', 'gift.sent');
  });
  afterEach(async () => {
    for (const user of joined.splice(0)) await user.close();
    await spec.close();
  });

  const recorded = (): Statement[] => {
    const statements: Statement[] = [];
    const query = log.store.query.bind(log.store);
    log.store.query = (statement) => {
      statements.push(statement);
      return query(statement);
    };
    return statements;
  };
  const looks = (statements: readonly Statement[]): Statement[] =>
    statements.filter(({ name }) => name?.endsWith('.look'));

  it('an idle process asks one statement a poll, however many readers, movers and rotations it has', async () => {
    const taken = new Taken();
    await join();
    await join();
    await spec.reader(log, destination, taken.deliver, { name: 'one', ...PATIENT });
    await spec.reader(log, await log.destination('other', 'x'), taken.deliver, { name: 'two', ...PATIENT });
    await log.appendAlone([entryOf(testMessage({ id: 'a' }), destination)]);
    await until('the one message', () => taken.ids.length === 1);
    await log.signals.flush();
    await until('its cursor', async () => (await log.backlog()).every(({ messages }) => messages === 0));
    const from = systemClock.monotonic();
    const statements = recorded();
    await until('some looks', () => looks(statements).length >= 4);
    expect(statements.filter((statement) => !looks(statements).includes(statement))).toEqual([]);
    expect(systemClock.monotonic() - from).toBeGreaterThan(2.5 * PATIENT.pollMs);
  });

  it('finds what no signal told of: messages, a message that became due, a full segment', async () => {
    const taken = new Taken();
    await join({ everyMs: 100, afterMs: 0, archiveMs: 0 });
    await spec.reader(log, destination, taken.deliver, PATIENT);
    const elsewhere = spec.log();
    elsewhere.signals.appended = () => undefined;
    elsewhere.signals.filedForLater = () => undefined;
    await elsewhere.appendAlone([entryOf(testMessage({ id: 'a' }), destination)]);
    await elsewhere.appendAlone([entryOf(testMessage({ id: 'b' }), destination, { delayMs: 50 })]);
    await until('both', () => taken.ids.length === 2);
    await until('another segment', async () => {
      const { rows } = await spec.pool.query<{ segment: number }>(`select segment from ${spec.schema}.control`);
      return rows[0]!.segment !== 0;
    });
    expect([...taken.ids].sort()).toEqual(['a', 'b']);
  });

  it('one of two users that leaves takes nothing from the other; after both the log rests', async () => {
    const [one, two] = [await join(), await join()];
    await one.close();
    await one.close();
    const taken = new Taken();
    const reader = await spec.reader(log, destination, taken.deliver, PATIENT);
    await log.appendAlone([entryOf(testMessage({ id: 'later' }), destination, { delayMs: 20 })]);
    await until('it', () => taken.ids.includes('later'));
    await two.close();
    await reader.stop();
    await log.signals.flush();
    const statements = recorded();
    await systemClock.wait(3 * PATIENT.pollMs); // nothing must happen: there is no condition to wait for
    expect(statements).toEqual([]);
  });

  it('two processes that wake from a long sleep at once clear away the dead, and not each other', async () => {
    const taken = new Taken();
    const other = spec.log();
    await spec.reader(log, destination, taken.deliver, { ...PATIENT, name: 'one' });
    await spec.reader(other, destination, taken.deliver, { ...PATIENT, name: 'two' });
    const member = `${spec.schema}.member`;
    for (let round = 0; round < 10; round++) {
      await spec.pool.query(`insert into ${member} values ('gone', 'nobody', now() - interval '2 minutes')`);
      await spec.pool.query(`update ${member} set lease_until = now() - interval '2 minutes'`);
      log.signals.membersChanged('two');
      other.signals.membersChanged('one');
      await until('the dead are gone, the living are back', async () => {
        const { rows } = await spec.pool.query<{ name: string }>(
          `select name from ${member} where lease_until > now() order by name`,
        );
        const { rowCount } = await spec.pool.query(`select 1 from ${member} where name = 'gone'`);
        return rowCount === 0 && rows.map(({ name }) => name).join() === 'one,two';
      });
    }
  });

  it('a new destination of a transport is found although nobody told of it', async () => {
    let refreshed = 0;
    const seat = log.watch.join({
      question: () => ({ member: undefined, leaseMs: 1_000, renew: [], idle: [], readers: [], transport: 'main' }),
      answered: ({ destinations }) => {
        refreshed = destinations ?? 0;
        return Promise.resolve(50);
      },
      failed: () => undefined,
    });
    await seat.look();
    expect(refreshed).toBe(1);
    await log.destination('main', 'another');
    await log.destination('else', 'another');
    await until('the second', () => refreshed === 2);
    await seat.leave();
  });
});

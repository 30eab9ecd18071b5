import { quoted, retry, silentLogger, systemClock } from '@tidings/core';
import { describeOn, Gate, until } from '@tidings/testing';
import { ParkedKeysWatch } from './parked-keys-watch.task';
import { claimDueKeys } from './sql/claim-due-keys';
import { leaveParkedKey } from './sql/leave-parked-key';
import { postponeKey } from './sql/postpone-key';
import { readHead } from './sql/read-head';
import { renewClaim } from './sql/renew-claim';
import { gift, PLACE, SpecParking } from './spec-parking.fixture';

describeOn('postgres', 'the limits of parked keys', (url) => {
  let spec: SpecParking;
  let warned: { message: string; fields: object }[];
  const logger = { ...silentLogger, warn: (fields: object, message: string) => void warned.push({ fields, message }) };

  beforeAll(async () => {
    spec = await SpecParking.open(url);
  });
  beforeEach(() => {
    warned = [];
  });
  afterEach(() => spec.clear());
  afterAll(() => spec.close());

  const parkAll = async (...keys: string[]): Promise<void> => {
    const one = spec.instance(() => retry(0));
    for (const key of keys) await one.deliver(gift(key, key));
  };
  const claim = (limit = 10, leaseMs = 60_000) =>
    claimDueKeys(spec.store, 'inbound', [PLACE.place], 'somebody', leaseMs, limit);

  it('a key with too many followers blocks its consumer, and says so', async () => {
    const one = spec.instance(() => retry(60_000), { maxFollowers: 2 }, { logger });
    for (const id of ['a', 'b', 'c']) await one.deliver(gift(id));
    expect(await one.offer(gift('d'))).toMatchObject({ kind: 'retry', counted: false });
    expect((await spec.row())?.waiting).toEqual(['a', 'b', 'c']);
    expect(warned.map(({ message }) => message)).toContainEqual(expect.stringContaining('too many followers'));
  });

  it('a subscription with too many parked keys blocks the next one, counting on', async () => {
    const one = spec.instance(() => retry(60_000), { maxKeys: 2 }, { logger });
    for (const key of ['k', 'l']) await one.deliver(gift(key, key));
    expect(await one.offer(gift('m', 'm'))).toMatchObject({ kind: 'retry', counted: true, afterMs: 60_000 });
    expect(await spec.row('m')).toBeUndefined();
    await one.deliver(gift('k2', 'k'));
    expect(warned.map(({ message }) => message)).toContainEqual(expect.stringContaining('too many parked keys'));
  });

  it('tells once of a key that has been parked for too long, and counts it', async () => {
    await parkAll('k');
    const { parkedKeys } = spec.instance(() => undefined, { alarmAfterMs: 50 });
    const watches = [0, 1].map(() => new ParkedKeysWatch(parkedKeys, systemClock, logger));
    await watches[0]!.runOnce();
    await until('it is old', async () => {
      for (const watch of watches) await watch.runOnce();
      return watches.every(({ count }) => count.old === 1);
    });
    expect(watches[0]!.count).toEqual({ parked: 1, dead: 0, old: 1 });
    const alarms = warned.filter(({ message }) => message.includes('too long'));
    expect(alarms).toMatchObject([{ fields: { place: 'badges@gift.sent', key: 'k', state: 'waiting' } }]);
  });

  it('hands out keys in pages, the longest due first, each to one process', async () => {
    await parkAll('k', 'l', 'm');
    const pages = await Promise.all([claim(1), claim(1), claim(1)]);
    const ids = pages.flatMap(({ keys }) => keys.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    for (let more = await claim(1); more.keys.length > 0; more = await claim(1)) ids.push(more.keys[0]!.id);
    expect(new Set(ids).size).toBe(3);
  });

  it('a process that was paused past its lease neither removes, postpones nor keeps anything', async () => {
    await parkAll('k');
    const paused = (await claim(1, 1)).keys[0]!;
    const head = (await readHead(spec.store, paused, 1))!;
    await until('the lease is over', async () => (await claim()).keys.length === 1);
    const before = await spec.row();
    expect(await leaveParkedKey(spec.store, paused, head.position)).toBe('lost');
    expect(await postponeKey(spec.store, paused, { delayMs: 1, failed: 1, reason: '' })).toBe(false);
    expect(await postponeKey(spec.store, paused, { failed: 1, reason: '' })).toBe(false);
    expect(await renewClaim(spec.store, paused, 1)).toBe(false);
    expect(await readHead(spec.store, paused, 1)).toBeUndefined();
    expect(await spec.row()).toEqual(before);
  });

  it('keeps its lease while a handler takes longer than that', async () => {
    const gate = new Gate();
    const one = spec.instance(async (_message, attempt) => (attempt === 1 ? retry(0) : gate.opened), { leaseMs: 100 });
    await one.deliver(gift('a'));
    await one.releaser.start();
    await until('it is being handled', () => spec.world.attempts.length === 2);
    const two = spec.instance(() => undefined, { leaseMs: 100 });
    for (let turn = 0; turn < 20; turn++) {
      await two.releaser.runOnce();
      await systemClock.wait(10);
    }
    expect(spec.world.attempts).toEqual(['a:1', 'a:2']);
    gate.open();
    await until('it is free', async () => !(await spec.row()));
  });

  it('a stop waits for the head in hand, then cuts it and gives the key back at once, uncounted', async () => {
    const gate = new Gate();
    const one = spec.instance(async (_message, attempt) => (attempt === 1 ? retry(0) : gate.opened));
    await one.deliver(gift('a'));
    await one.releaser.start();
    await until('it is being handled', () => spec.world.attempts.length === 2);
    await one.releaser.stop(20);
    expect(await spec.row()).toEqual({ state: 'waiting', attempts: 1, waiting: ['a'] });
    expect((await claim()).keys).toHaveLength(1);
    gate.open();
  });

  it('asks once for all that arrives together, and never sorts or scans what is parked', async () => {
    const statements: string[] = [];
    const counting = new Proxy(spec.store, {
      get: (target, property) =>
        property === 'query'
          ? (statement: { text: string }) => {
              statements.push(statement.text);
              return target.query(statement);
            }
          : (Reflect.get(target, property) as unknown),
    });
    const one = spec.instance(() => undefined, {}, { store: counting });
    await Promise.all(Array.from({ length: 40 }, (_, n) => one.deliver(gift(String(n), `key ${n}`))));
    expect(statements.length).toBeLessThanOrEqual(2); // the first to come, and those that came meanwhile
    const { rows } = await spec.pool.query<{ 'QUERY PLAN': string }>(
      `explain (costs off) select from ${quoted(spec.schema)}.parked_key k where k.direction = 'inbound' and k.place = 'p'
        and k.state = 'waiting' and k.due_at <= now() order by k.due_at limit 5`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join()).not.toMatch(/Sort/);
  });
});

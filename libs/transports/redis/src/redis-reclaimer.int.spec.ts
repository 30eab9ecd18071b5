import { accept } from '@tidings/core';
import { describeOn, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import type { RedisTransport } from './redis.transport';
import { SpecRedis } from './spec-redis.fixture';

const topic = 'gift.sent';
const group = { topic, group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;
const quiet = { reclaimEveryMs: 600_000 };

describeOn('redis', 'the reclaimer of Redis streams', (url) => {
  let server: SpecRedis;
  let base: string;
  beforeEach(async () => {
    server = await SpecRedis.at(url);
    base = server.names.base(topic);
  });
  afterEach(() => server.close());

  const publish = async (transport: RedisTransport, count: number): Promise<string[]> => {
    const messages = Array.from({ length: count }, () => testMessage({ topic }));
    expect((await transport.publish(messages.map((message) => ({ message })))).every(({ outcome }) => outcome === 'confirmed')).toBe(true); // prettier-ignore
    return messages.map(({ id }) => id);
  };
  /** As a process would that died right after it was given everything. */
  const takeAndDie = async (consumer: string): Promise<void> => {
    const streams = [0, 1, 2, 3].map((number) => `${base}:${number}`);
    await server.admin.xreadgroup('GROUP', 'ranking', consumer, 'STREAMS', ...streams, '>', '>', '>', '>');
  };
  const withGroup = async (transport: RedisTransport): Promise<void> =>
    (await transport.subscribe(group, recordingReceive().receive)).stop(1_000);

  it('of two that reclaim at once one gets each entry, and the dead consumer that owns nothing goes', async () => {
    const [before, first, second] = [await server.connected(quiet), await server.connected(quiet), await server.connected(quiet)]; // prettier-ignore
    await withGroup(before);
    const ids = await publish(before, 20);
    await before.close(); // its own schedule would be a third
    await takeAndDie('dead');
    const reports = await Promise.all([first.reclaimer.reclaim(), second.reclaimer.reclaim()]);
    expect(reports.reduce((sum, { reclaimed }) => sum + reclaimed, 0)).toBe(20);
    const heir = recordingReceive();
    await second.subscribe(group, heir.receive);
    await heir.receivedAll(ids);
    expect(heir.deliveries).toHaveLength(20);
    expect(heir.deliveries.every(({ attempt, redelivered }) => attempt === 2 && redelivered)).toBe(true);
    const names = ((await server.admin.xinfo('CONSUMERS', `${base}:0`, 'ranking')) as string[][]).map((words) => words[1]); // prettier-ignore
    expect(names).not.toContain('dead');
  });

  it('takes nothing from a consumer that lives, however long its handler runs', async () => {
    const transport = await server.connected(quiet);
    const gate = new Gate();
    const slow = recordingReceive(() => gate.opened.then(() => accept));
    await transport.subscribe(group, slow.receive);
    await publish(transport, 1);
    await slow.received(1);
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 0, detail: { consumers: 0 } });
    gate.open();
  });

  it('a dead consumer stays as long as it owns something', async () => {
    const before = await server.connected(quiet);
    await withGroup(before);
    await publish(before, 8);
    await before.close();
    await takeAndDie('dead');
    const patient = await server.connected({ ...quiet, reclaimIdleMs: 600_000 });
    expect(await patient.reclaimer.reclaim()).toMatchObject({ reclaimed: 0 });
    const pending = [0, 1, 2, 3].map(async (number) => Number((await server.admin.xpending(`${base}:${number}`, 'ranking'))[0])); // prettier-ignore
    expect((await Promise.all(pending)).reduce((sum, count) => sum + count, 0)).toBe(8);
    const heir = await server.connected(quiet);
    expect(await heir.reclaimer.reclaim()).toMatchObject({ reclaimed: 8 });
  });

  it('files as a dead letter what too many processes died with', async () => {
    const before = await server.connected(quiet);
    const transport = await server.connected({ ...quiet, poisonAfter: 1 });
    await withGroup(before);
    const [id] = await publish(before, 1);
    await before.close(); // its own schedule would be a second
    await takeAndDie('dead');
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 0, detail: { buried: 1 } });
    const [letter] = await transport.nativeDeadLetters(topic, 'ranking', 10);
    expect(letter).toMatchObject({ message: { id }, reason: expect.stringContaining('died'), attempts: 1 });
  });

  it('trims what every group has settled and nothing that one has not', async () => {
    const transport = await server.connected(quiet);
    const [done, away] = [recordingReceive(), recordingReceive()];
    await transport.subscribe(group, done.receive);
    const slow = await transport.subscribe({ ...group, group: 'away' }, away.receive);
    await slow.stop(1_000);
    const ids = await publish(transport, 30);
    await done.receivedAll(ids);
    expect(await transport.reclaimer.reclaim()).toMatchObject({ detail: { trimmed: 0 } });
    await transport.subscribe({ ...group, group: 'away' }, away.receive);
    await away.receivedAll(ids);
    await until('all is trimmed', async () => {
      await transport.reclaimer.reclaim();
      const left = await Promise.all([0, 1, 2, 3].map((number) => server.admin.xlen(`${base}:${number}`)));
      return left.every((length) => length === 0);
    });
  });

  it('a broadcast has a group for each instance, which goes when that leaves', async () => {
    const groups = async (): Promise<number> => ((await server.admin.xinfo('GROUPS', `${base}:0`)) as unknown[]).length;
    const transports = [await server.connected(quiet), await server.connected(quiet)];
    const broadcast = { ...group, group: 'cache', broadcast: true };
    for (const transport of transports) await transport.subscribe(broadcast, recordingReceive().receive);
    expect(await groups()).toBe(2);
    await transports[0]!.close();
    expect(await groups()).toBe(1);
    await transports[1]!.close();
    expect(await groups()).toBe(0);
    expect(await server.admin.hgetall(`${base}:groups`)).toEqual({});
  });

  it('removes the group of a broadcast instance that died', async () => {
    const transport = await server.connected(quiet);
    await server.admin.hset(`${base}:groups`, 'cache/dead', 'broadcast');
    await server.admin.sadd(server.names.topics, topic);
    expect(await transport.reclaimer.reclaim()).toMatchObject({ detail: { groups: 1 } });
    expect(await server.admin.hgetall(`${base}:groups`)).toEqual({});
  });

  it.each([
    ['its group is destroyed', () => server.admin.xgroup('DESTROY', `${base}:0`, 'ranking')],
    ['its stream is deleted', () => server.admin.del(`${base}:0`)],
    ['all of its keys are deleted', () => server.deleteKeys()],
  ] as const)('a subscription goes on when %s', async (_, destroy) => {
    const transport = await server.connected(quiet);
    const recording = recordingReceive();
    await transport.subscribe(group, recording.receive);
    await recording.receivedAll(await publish(transport, 4));
    await destroy();
    await until('the group is back', () => transport.hasGroup(topic, 'ranking'), { withinMs: 15_000 });
    await recording.receivedAll(await publish(transport, 8));
  });

  it('removes a topic with its groups, and leaves no key', async () => {
    const transport = await server.connected(quiet);
    await withGroup(transport);
    await transport.publish([
      { message: testMessage({ topic }), delayMs: 60_000 },
      { message: testMessage({ topic }) },
    ]);
    await transport.removeTopic(topic, ['ranking']);
    await transport.removeTopic(topic, ['ranking']);
    expect(await server.keys()).toEqual([]);
  });
});

import { describeOn, recordingReceive, until } from '@tidings/testing';
import { declared, goesOn, group, publish, reclaimConformance, type ReclaimPlace, topic } from './reclaim.conformance';
import { SpecRedis } from './spec-redis.fixture';

const quiet = { reclaimEveryMs: 600_000 };
const STREAMS = [0, 1, 2, 3]; // as many as a SpecRedis's topics have

describeOn('redis', 'the reclaimer of Redis streams', (url) => {
  let server: SpecRedis;
  let base: string;
  beforeEach(async () => {
    server = await SpecRedis.at(url);
    base = server.names.base(topic);
  });
  afterEach(() => server.close());

  const takeAndDie = async (consumer: string): Promise<void> => {
    const streams = STREAMS.map((number) => `${base}:${number}`);
    await server.admin.xreadgroup('GROUP', 'ranking', consumer, 'STREAMS', ...streams, '>', '>', '>', '>');
  };
  const place = (): ReclaimPlace => ({
    takeAndDie,
    connected: (options) => server.connected({ ...quiet, ...options }),
    consumers: async () => {
      const listed = await Promise.all(STREAMS.map((number) => server.admin.xinfo('CONSUMERS', `${base}:${number}`, 'ranking'))); // prettier-ignore
      return (listed as string[][][]).flat().map((words) => words[1]!);
    },
    keys: () => server.keys(),
    deleteKeys: () => server.deleteKeys(),
  });
  reclaimConformance(place);

  it('a dead consumer stays as long as it owns something', async () => {
    await declared(place());
    const patient = await server.connected({ ...quiet, reclaimIdleMs: 600_000 });
    await publish(patient, 8);
    await takeAndDie('dead');
    expect(await patient.reclaimer.reclaim()).toMatchObject({ reclaimed: 0 });
    const pending = STREAMS.map(async (number) => Number((await server.admin.xpending(`${base}:${number}`, 'ranking'))[0])); // prettier-ignore
    expect((await Promise.all(pending)).reduce((sum, count) => sum + count, 0)).toBe(8);
    const heir = await server.connected(quiet);
    expect(await heir.reclaimer.reclaim()).toMatchObject({ reclaimed: 8 });
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
      const left = await Promise.all(STREAMS.map((number) => server.admin.xlen(`${base}:${number}`)));
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
  ] as const)('a subscription goes on when %s', (_, destroy) => goesOn(place(), destroy));
});

import { describeOn, recordingReceive, until } from '@tidings/testing';
import { declared, group, publish, reclaimConformance, type ReclaimPlace, topic } from '../reclaim.conformance';
import { RedisNames } from '../redis-names';
import { SpecRedis } from '../spec-redis.fixture';
import type { RedisListOptions } from './redis-list.options';
import { redisList, type RedisListTransport } from './redis-list.transport';

const quiet = { reclaimEveryMs: 600_000 };

describeOn('redis', 'the reclaimer of Redis lists', (url) => {
  let server: SpecRedis;
  let own: string;
  beforeEach(async () => {
    server = await SpecRedis.at(url);
    own = `${new RedisNames(`${server.prefix}:list`).base(topic)}:g:ranking:`;
  });
  afterEach(() => server.close());

  const connected = async (options: Partial<RedisListOptions> = {}): Promise<RedisListTransport> => {
    const transport = redisList({ ...server.consumingOptions, urls: server.proxy.url, ...quiet, ...options });
    server.closes(transport);
    await transport.connect();
    return transport;
  };
  const takeAndDie = async (consumer: string): Promise<void> => {
    await server.admin.zadd(`${own}members`, 1, consumer);
    while (await server.admin.lmove(`${own}queue`, `${own}taken:${consumer}`, 'RIGHT', 'LEFT'));
  };
  const place = (): ReclaimPlace => ({
    ...{ connected, takeAndDie },
    consumers: () => server.admin.zrange(`${own}members`, 0, -1),
    keys: () => server.keys(),
    deleteKeys: () => server.deleteKeys(),
  });
  reclaimConformance(place);

  it('a message counts each process that died with it', async () => {
    const transport = await connected({ poisonAfter: 2 });
    await declared(place());
    await publish(transport, 1);
    await takeAndDie('first');
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 1, detail: { buried: 0 } });
    await takeAndDie('second');
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 0, detail: { buried: 1 } });
    expect(await transport.nativeDeadLetters(topic, 'ranking', 10)).toEqual([expect.objectContaining({ attempts: 2 })]);
  });

  it('a consumer with a name of its own has at once what it had when it died', async () => {
    await declared(place());
    const ids = await publish(await connected(), 3);
    await takeAndDie('pod-1');
    const transport = await connected({ consumer: 'pod-1' });
    const recording = recordingReceive();
    await transport.subscribe({ ...group, concurrency: 1 }, recording.receive);
    await recording.receivedAll(ids);
    expect(recording.ids).toEqual(ids); // before all others, in its order
    expect(recording.deliveries.every(({ attempt, redelivered }) => attempt === 2 && redelivered)).toBe(true);
  });

  it('finds what was moved to it and the reply was lost of', async () => {
    const transport = await connected({ consumer: 'pod-1' });
    const recording = recordingReceive();
    await transport.subscribe(group, recording.receive);
    await recording.receivedAll(await publish(transport, 1));
    const lost = JSON.stringify({ specversion: '1.0', id: 'lost', source: 'gift-api', type: 'gift.sent', data: { coins: 5 } }); // prettier-ignore
    await server.admin.lpush(`${own}taken:pod-1`, lost); // as BLMOVE does whose socket broke
    await recording.receivedAll(['lost', ...(await publish(transport, 3))]);
    expect(recording.ids).toHaveLength(5);
    await until('all is settled', async () => (await server.admin.exists(`${own}taken:pod-1`)) === 0);
  });

  it.each([
    ['ordered', { ordered: true }],
    ['broadcast', { broadcast: true }],
    ['replay', { from: 'earliest' }],
  ] as const)('refuses a subscription that needs %s', async (capability, asked) => {
    const refused = (await connected()).subscribe({ ...group, ...asked }, recordingReceive().receive);
    await expect(refused).rejects.toEqual(expect.objectContaining({ capability }));
  });
});

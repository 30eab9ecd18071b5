import { accept } from '@tidings/core';
import { describeOn, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import { RedisNames } from '../redis-names';
import { SpecRedis } from '../spec-redis.fixture';
import type { RedisListOptions } from './redis-list.options';
import { redisList, type RedisListTransport } from './redis-list.transport';

const topic = 'gift.sent';
const group = { topic, group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;
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
  const publish = async (transport: RedisListTransport, count: number): Promise<string[]> => {
    const messages = Array.from({ length: count }, () => testMessage({ topic }));
    const results = await transport.publish(messages.map((message) => ({ message })));
    expect(results.every(({ outcome }) => outcome === 'confirmed')).toBe(true);
    return messages.map(({ id }) => id);
  };
  /** By a transport that is closed: its own schedule would reclaim too. */
  const declared = async (): Promise<void> => {
    const before = await connected();
    await before.subscribe(group, recordingReceive().receive);
    await before.close();
  };
  /** As a process would that died right after it had taken everything. */
  const takeAndDie = async (consumer: string): Promise<void> => {
    await server.admin.zadd(`${own}members`, 1, consumer);
    while (await server.admin.lmove(`${own}queue`, `${own}taken:${consumer}`, 'RIGHT', 'LEFT'));
  };

  it('of two that reclaim at once one gets each element', async () => {
    const [first, second] = [await connected(), await connected()];
    await declared();
    const ids = await publish(first, 20);
    await takeAndDie('dead');
    const reports = await Promise.all([first.reclaimer.reclaim(), second.reclaimer.reclaim()]);
    expect(reports.reduce((sum, { reclaimed }) => sum + reclaimed, 0)).toBe(20);
    const heir = recordingReceive();
    await second.subscribe(group, heir.receive);
    await heir.receivedAll(ids);
    expect(heir.deliveries).toHaveLength(20);
    expect(heir.deliveries.every(({ attempt, redelivered }) => attempt === 2 && redelivered)).toBe(true);
    expect(await server.admin.zrange(`${own}members`, 0, -1)).not.toContain('dead');
  });

  it('takes nothing from a consumer that lives, however long its handler runs', async () => {
    const transport = await connected();
    const gate = new Gate();
    const slow = recordingReceive(() => gate.opened.then(() => accept));
    await transport.subscribe(group, slow.receive);
    await publish(transport, 1);
    await slow.received(1);
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 0, detail: { consumers: 0 } });
    gate.open();
  });

  it('files as a dead letter what too many processes died with', async () => {
    const transport = await connected({ poisonAfter: 2 });
    await declared();
    const [id] = await publish(transport, 1);
    await takeAndDie('first');
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 1, detail: { buried: 0 } });
    await takeAndDie('second');
    expect(await transport.reclaimer.reclaim()).toMatchObject({ reclaimed: 0, detail: { buried: 1 } });
    const [letter] = await transport.nativeDeadLetters(topic, 'ranking', 10);
    expect(letter).toMatchObject({ message: { id, headers: {} }, reason: expect.stringContaining('died'), attempts: 2 }); // prettier-ignore
  });

  it('a consumer with a name of its own has at once what it had when it died', async () => {
    await declared();
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

  it('a subscription goes on when all of its keys are deleted', async () => {
    const transport = await connected();
    const recording = recordingReceive();
    await transport.subscribe(group, recording.receive);
    await recording.receivedAll(await publish(transport, 4));
    await server.deleteKeys();
    await until('the group is back', () => transport.hasGroup(topic, 'ranking'), { withinMs: 15_000 });
    await recording.receivedAll(await publish(transport, 8));
  });

  it('removes a topic with its groups, and leaves no key', async () => {
    const transport = await connected();
    await declared();
    await transport.publish([
      { message: testMessage({ topic }), delayMs: 60_000 },
      { message: testMessage({ topic }) },
    ]);
    await takeAndDie('dead');
    await transport.removeTopic(topic, ['ranking']);
    await transport.removeTopic(topic, ['ranking']);
    expect(await server.keys()).toEqual([]);
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

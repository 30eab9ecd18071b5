import { accept, CapabilityError, retry } from '@tidings/core';
import { describeOn, Gate, recordingReceive, testMessage, transportConformance, until } from '@tidings/testing';
import { SpecRedis } from '../spec-redis.fixture';
import { PUBSUB } from '../suite-parts.fixture';
import { redisPubSub } from './redis-pubsub.transport';

describeOn('redis', 'Pub/Sub of Redis as a transport', (url) => {
  let server: SpecRedis;
  transportConformance({
    ...PUBSUB,
    open: async () => {
      server = await SpecRedis.at(url);
    },
    create: () => redisPubSub({ urls: server.proxy.url, prefix: server.prefix, reconnectMaxMs: 200 }),
    close: () => server.close(),
  });
});

describeOn('redis', 'at most once by Pub/Sub of Redis', (url) => {
  const topic = 'room.shown';
  const room = { topic, group: 'gateway', ordered: false, broadcast: true, concurrency: 1, from: 'now' } as const;
  let server: SpecRedis;
  beforeEach(async () => {
    server = await SpecRedis.at(url);
  });
  afterEach(() => server.close());
  const open = (options: { readonly maxWaiting?: number } = {}) => {
    const transport = redisPubSub({ urls: server.proxy.url, prefix: server.prefix, reconnectMaxMs: 200, ...options });
    server.closes(transport);
    return transport;
  };

  it('hears again what is published after its connection was cut', async () => {
    const transport = open();
    const recording = recordingReceive();
    const active = await transport.subscribe(room, recording.receive);
    server.proxy.cut();
    await until('it hears again', async () => {
      const [result] = await transport.publish([{ message: testMessage({ topic }) }]);
      return result?.outcome === 'confirmed' && recording.deliveries.length > 0;
    });
    expect(active.healthy()).toBe(true);
  });

  it('drops what its handler is too slow for, and goes on', async () => {
    const transport = open({ maxWaiting: 2 });
    const gate = new Gate();
    const recording = recordingReceive(() => gate.opened.then(() => accept));
    await transport.subscribe(room, recording.receive);
    const sent = Array.from({ length: 5 }, () => testMessage({ topic }));
    await transport.publish(sent.map((message) => ({ message })));
    await recording.received(1);
    const marker = testMessage({ topic });
    await until('there is room again', async () => {
      gate.open();
      await transport.publish([{ message: marker }]);
      return recording.ids.includes(marker.id);
    });
    expect(new Set(recording.ids.filter((id) => id !== marker.id))).toEqual(new Set(sent.slice(0, 2).map(({ id }) => id))); // prettier-ignore
  });

  it('a retry waits in its process, in the place of its key', async () => {
    const transport = open();
    const recording = recordingReceive(({ attempt, message }) => (message.headers['first'] && attempt === 1 ? retry(20) : accept)); // prettier-ignore
    await transport.subscribe({ ...room, ordered: true, concurrency: 4 }, recording.receive);
    const [first, second] = [testMessage({ topic, key: 'a', headers: { first: '1' } }), testMessage({ topic, key: 'a' })]; // prettier-ignore
    await transport.publish([{ message: first }, { message: second }]);
    await recording.received(3);
    expect(recording.ids).toEqual([first.id, first.id, second.id]);
  });

  it.each([
    ['groups', { broadcast: false }],
    ['replay', { from: 'earliest' }],
  ] as const)('refuses a subscription that needs %s', async (capability, asked) => {
    const refused = open().subscribe({ ...room, ...asked }, recordingReceive().receive);
    await expect(refused).rejects.toEqual(expect.objectContaining({ capability }));
    await expect(refused).rejects.toBeInstanceOf(CapabilityError);
  });

  it('refuses a delay', async () => {
    await expect(open().publish([{ message: testMessage({ topic }), delayMs: 1 }])).rejects.toBeInstanceOf(CapabilityError); // prettier-ignore
  });
});

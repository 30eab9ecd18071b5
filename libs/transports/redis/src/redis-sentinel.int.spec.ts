import { type Message, retry, accept } from '@tidings/core';
import { describePrivate, recordingReceive, testMessage, until } from '@tidings/testing';
import { redis, type RedisTransport } from './redis.transport';

const KEYS = 5;
const PATIENCE_MS = 60_000;

describePrivate('redis-sentinel', 'the Redis transport behind a sentinel', (watched) => {
  const open: RedisTransport[] = [];
  const connected = async (): Promise<RedisTransport> => {
    const { url, name } = watched();
    const urls = ['redis://127.0.0.1:1', url]; // of several sentinels one may be gone
    const waiting = { leaseMs: 3_000, reclaimEveryMs: 1_000, reconnectMaxMs: 200, delayPollMs: 20 };
    const transport = redis({ urls, sentinel: { name }, streams: 4, replicas: 1, ...waiting });
    open.push(transport);
    await transport.connect();
    return transport;
  };
  afterEach(() => Promise.all(open.splice(0).map((transport) => transport.close())), PATIENCE_MS);

  it.each([false, true])(
    'loses nothing that a replica had when it was confirmed, and goes on with the next primary (ordered: %s)',
    async (ordered) => {
      const topic = `failover-${ordered}`;
      const [sender, receiver] = [await connected(), await connected()];
      const recording = recordingReceive(({ attempt, message }) => attempt === 1 && message.headers['slow'] ? retry(200) : accept); // prettier-ignore
      const active = await receiver.subscribe({ topic, group: 'ranking', ordered, broadcast: false, concurrency: 4, from: 'now' }, recording.receive); // prettier-ignore
      const confirmed: Message[] = [];
      /** As a relay: the same again until it is confirmed. */
      const publishOne = async (): Promise<void> => {
        const number = confirmed.length;
        const headers = !ordered && number % 10 === 0 ? { slow: '1' } : {};
        const message = testMessage({ topic, key: `room-${number % KEYS}`, headers });
        const done = async (): Promise<boolean> => (await sender.publish([{ message }]))[0]?.outcome === 'confirmed';
        await until('it is confirmed', done, { withinMs: PATIENCE_MS });
        confirmed.push(message);
      };
      while (confirmed.length < 200) await publishOne();
      const before = await watched().primary();
      const crashing = before.crash();
      while (confirmed.length < 400) await publishOne();
      await crashing;
      expect(await watched().primary()).not.toBe(before);
      await recording.receivedAll(confirmed.map(({ id }) => id), PATIENCE_MS); // prettier-ignore
      await until('healthy again', () => active.healthy() && sender.health().up, { withinMs: PATIENCE_MS });
      if (ordered) {
        const first = [...new Set(recording.ids)];
        for (let room = 0; room < KEYS; room++) {
          const ids = confirmed.filter(({ key }) => key === `room-${room}`).map(({ id }) => id);
          expect(first.filter((id) => ids.includes(id))).toEqual(ids);
        }
      }
      await before.start(); // the sentinel makes it a replica, for whoever comes next
      await until('it is a replica', async () => (await before.ask('INFO replication')).includes('role:slave'), { withinMs: PATIENCE_MS }); // prettier-ignore
    },
    180_000,
  );

  it('finds the next primary when the former lives on and is a replica', async () => {
    const [sender, receiver] = [await connected(), await connected()];
    const group = { topic: 'handed-over', group: 'ranking', ordered: true, broadcast: false, concurrency: 4, from: 'now' } as const; // prettier-ignore
    const recording = recordingReceive();
    const active = await receiver.subscribe(group, recording.receive);
    const arrives = async (): Promise<void> => {
      const message = testMessage({ topic: group.topic, key: 'room-1' });
      const done = async (): Promise<boolean> => (await sender.publish([{ message }]))[0]?.outcome === 'confirmed';
      await until('it is confirmed', done, { withinMs: PATIENCE_MS });
      await recording.receivedAll([message.id], PATIENCE_MS);
    };
    await arrives();
    await watched().failover();
    const sent: string[] = [];
    const published = async (): Promise<boolean> => {
      const message = testMessage({ topic: group.topic, key: 'room-1' });
      sent.push(message.id);
      await sender.publish([{ message }]); // what the former took in its last moment may be lost
      return recording.ids.some((id) => sent.includes(id));
    };
    await until('the next one is found', published, { withinMs: PATIENCE_MS, everyMs: 100 });
    await arrives();
    await until('healthy again', () => active.healthy() && sender.health().up, { withinMs: PATIENCE_MS });
  }, 180_000);

  it('confirms nothing that fewer replicas have than asked', async () => {
    const topic = 'too-few';
    const { url, name } = watched();
    const greedy = redis({ urls: url, sentinel: { name }, replicas: 3, commandTimeoutMs: 2_000 });
    open.push(greedy);
    await greedy.connect();
    const [result] = await greedy.publish([{ message: testMessage({ topic }), route: 'optional' }]);
    expect(result).toMatchObject({ outcome: 'failed', reason: 'transient' });
  });
});

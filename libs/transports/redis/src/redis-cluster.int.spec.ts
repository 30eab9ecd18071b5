import type { Transport } from '@tidings/core';
import {
  describePrivate,
  recordingReceive,
  testMessage,
  transportConformance,
  type TransportHarness,
  until,
} from '@tidings/testing';
import { redisList } from './list/redis-list.transport';
import { REDIS_PUBSUB_IN_A_CLUSTER, redisPubSub } from './pubsub/redis-pubsub.transport';
import { redis } from './redis.transport';
import { LISTS, LISTS_MODULE, PUBSUB, STREAMS, STREAMS_MODULE } from './suite-parts.fixture';

// A script with keys of two slots, a command that goes to any node, a client that does not follow MOVED: the suite meets them here.
describePrivate('redis-cluster', "Redis' transports in a cluster", (cluster) => {
  const nobody = 'redis://127.0.0.1:1';
  const connecting = () => ({ urls: [nobody, cluster().url], cluster: true, reconnectMaxMs: 200 });
  const consuming = () => ({ ...connecting(), leaseMs: 3_000, reclaimEveryMs: 500, delayPollMs: 20 });
  const streaming = () => ({ ...consuming(), streams: 4, reclaimIdleMs: 0 });
  const ofAll = async (line: string): Promise<void> => void (await Promise.all(cluster().nodes.map((node) => node.ask(line)))); // prettier-ignore

  const cut = async (): Promise<void> => {
    for (const type of ['normal', 'pubsub']) await ofAll(`CLIENT KILL TYPE ${type}`);
  };
  const suite = (parts: Omit<TransportHarness, 'create' | 'close'>, create: () => Transport): void =>
    transportConformance({
      ...parts,
      create,
      afterEach: () => ofAll('FLUSHALL'),
      close: () => Promise.resolve(),
    });

  suite({ ...STREAMS, cut, process: { ...STREAMS_MODULE, options: streaming } }, () => redis({ ...streaming(), keepMs: 60_000 })); // prettier-ignore
  suite({ ...LISTS, cut, process: { ...LISTS_MODULE, options: consuming } }, () => redisList(consuming()));
  suite({ ...PUBSUB, capabilities: REDIS_PUBSUB_IN_A_CLUSTER }, () => redisPubSub(connecting()));

  it('Pub/Sub hears again what is published after its connection was cut', async () => {
    const transport = redisPubSub(connecting());
    try {
      const recording = recordingReceive();
      const room = { topic: 'room.shown', group: 'gateway', ordered: false, broadcast: true, concurrency: 1, from: 'now' } as const; // prettier-ignore
      const active = await transport.subscribe(room, recording.receive);
      await cut();
      await until('it hears again', async () => {
        await transport.publish([{ message: testMessage({ topic: room.topic }) }]);
        return recording.deliveries.length > 0;
      });
      await until('it is healthy', () => active.healthy());
    } finally {
      await transport.close();
    }
  });

  it.each([
    ['streams', () => redis(streaming())],
    ['lists', () => redisList(consuming())],
  ] as const)('%s: a stop begins nothing that a read brings which cannot be woken', async (name, create) => {
    const [leaving, staying] = [create(), create()];
    try {
      const group = { topic: `stopped-${name}`, group: 'ranking', ordered: false, broadcast: false, concurrency: 1, from: 'now' } as const; // prettier-ignore
      const [left, heir] = [recordingReceive(), recordingReceive()];
      const active = await leaving.subscribe(group, left.receive);
      const waits = async (): Promise<boolean> => (await Promise.all(cluster().nodes.map((node) => node.ask('CLIENT LIST')))).some((clients) => /flags=b /.test(clients)); // prettier-ignore
      await until('its read waits', waits);
      const stopping = active.stop(5_000);
      const message = testMessage({ topic: group.topic });
      await staying.connect();
      expect(await staying.publish([{ message }])).toEqual([{ outcome: 'confirmed' }]);
      await stopping;
      expect(left.deliveries).toEqual([]);
      await staying.subscribe(group, heir.receive);
      await heir.receivedAll([message.id]);
      expect(heir.deliveries[0]).toMatchObject({ attempt: 1 });
    } finally {
      await Promise.all([leaving.close(), staying.close()]);
    }
  });

  it('counts replicas where the message is, and not at some other node', async () => {
    const transport = redis({ ...connecting(), replicas: 1, commandTimeoutMs: 2_000 });
    try {
      await transport.connect();
      const outcomes = new Map<boolean, Set<string>>();
      for (let number = 0; number < 30; number++) {
        const topic = `replicated-${number}`;
        const slot = Number((await cluster().nodes[0]!.ask(`CLUSTER KEYSLOT {${topic}}`)).slice(1));
        const message = testMessage({ topic });
        const subscription = await transport.subscribe({ topic, group: 'ranking', ordered: false, broadcast: false, concurrency: 1, from: 'now' }, recordingReceive().receive); // prettier-ignore
        const [result] = await transport.publish([{ message }]);
        await subscription.stop(0);
        const ofFirst = slot < 5_461; // it alone has a replica
        outcomes.set(ofFirst, (outcomes.get(ofFirst) ?? new Set()).add(result!.outcome));
      }
      expect(outcomes.get(true)).toEqual(new Set(['confirmed']));
      expect(outcomes.get(false)).toEqual(new Set(['failed']));
    } finally {
      await transport.close();
    }
  }, 120_000);
});

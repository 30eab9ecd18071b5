import { accept, release, type Subscription, systemClock } from '@tidings/core';
import { describeOn, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import { SpecBroker } from './spec-broker.fixture';

const subscription = (overrides: Partial<Subscription> = {}): Subscription => ({
  topic: 'gift.sent',
  group: 'ranking',
  ordered: false,
  broadcast: false,
  concurrency: 8,
  from: 'now',
  ...overrides,
});

const LONG_MS = 90_000;

describeOn('kafka', 'a group on Kafka', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => {
    broker = await SpecBroker.at(url);
  });
  afterEach(() => broker.closeTransports(), 30_000);
  afterAll(() => broker.close(), 30_000);

  /** Of each partition of the topic: the next offset that the group wants. */
  const committed = async (topic: string, group = 'ranking'): Promise<number[]> => {
    const admin = broker.kafka.admin();
    await admin.connect();
    try {
      const [found] = await admin.fetchOffsets({ groupId: broker.names.group(topic, group), topics: [broker.names.topic(topic)] }); // prettier-ignore
      const byPartition = [...(found?.partitions ?? [])].sort((a, b) => a.partition - b.partition);
      return byPartition.map(({ offset }) => Number(offset));
    } finally {
      await admin.disconnect();
    }
  };

  /** As `Stable 2`: its state and how many consumers it has. */
  const groupState = async (topic: string): Promise<string> => {
    const admin = broker.kafka.admin();
    await admin.connect();
    try {
      const { groups } = await admin.describeGroups([broker.names.group(topic, 'ranking')]);
      return `${groups[0]?.state} ${groups[0]?.members.length}`;
    } finally {
      await admin.disconnect();
    }
  };

  it(
    'a handler that runs for three sessions keeps its partition: it is handled once, and committed',
    async () => {
      const topic = 'gift.long';
      const session = { sessionTimeoutMs: 1_500, heartbeatMs: 300, rebalanceDrainMs: 200, partitions: 1 };
      const [busy, idle] = [await broker.connected(session), await broker.connected(session)];
      const gate = new Gate();
      const held = recordingReceive(() => gate.opened.then(() => accept));
      // The other one waits for the partition all the while.
      const actives = [
        await busy.subscribe(subscription({ topic }), held.receive),
        await idle.subscribe(subscription({ topic }), held.receive),
      ];
      await until('both are in the group', async () => (await groupState(topic)) === 'Stable 2', { everyMs: 50 });
      await busy.publish([{ message: testMessage({ topic }) }]);
      await held.received(1);
      const sinceMs = systemClock.monotonic();
      const sessionsPassed = (): boolean => systemClock.monotonic() - sinceMs > 3 * session.sessionTimeoutMs;
      await until('three sessions have passed', sessionsPassed, { everyMs: 100 });
      expect(actives.map((active) => active.healthy())).toEqual([true, true]);
      expect(held.deliveries).toHaveLength(1);
      gate.open();
      await until('it is committed', async () => (await committed(topic))[0] === 1, { everyMs: 100 });
    },
    LONG_MS,
  );

  it(
    'a rebalance drains: what runs ends and is committed, what was taken ahead is handled once, by whoever owns it then',
    async () => {
      const topic = 'gift.drained';
      // Commits now and in a minute: what ends while it drains is in the commit of the rebalance, or nowhere.
      const [first, second] = [await broker.connected({ commitIntervalMs: 60_000 }), await broker.connected()];
      const gate = new Gate();
      const quick = testMessage({ topic });
      const before = recordingReceive(({ message }) => (message.id === quick.id ? accept : gate.opened.then(() => accept))); // prettier-ignore
      const after = recordingReceive();
      await first.subscribe(subscription({ topic, concurrency: 3 }), before.receive);
      await first.publish([{ message: quick }]);
      await until('it is committed', async () => (await committed(topic)).includes(1), { everyMs: 50 });
      const rest = Array.from({ length: 60 }, (_, n) => testMessage({ topic, key: `room-${n}` }));
      const messages = [quick, ...rest];
      await first.publish(rest.map((message) => ({ message })));
      await before.received(4);
      const joining = second.subscribe(subscription({ topic, from: 'earliest' }), after.receive);
      let sinceMs: number | undefined;
      const heardOfIt = async (): Promise<boolean> => {
        if ((await groupState(topic)) !== 'PreparingRebalance 2') return false;
        return systemClock.monotonic() - (sinceMs ??= systemClock.monotonic()) > 500;
      };
      await until('the group has waited for five heartbeats of the one that drains', heardOfIt, { everyMs: 50 });
      gate.open();
      await joining;
      const seen = (): string[] => [...before.ids, ...after.ids];
      await until('all is handled', () => messages.every(({ id }) => seen().includes(id)), { withinMs: 30_000 });
      expect(seen().sort()).toEqual(messages.map(({ id }) => id).sort());
      expect(after.deliveries.length).toBeGreaterThan(0);
    },
    LONG_MS,
  );

  it(
    'a consumer that is stopped while it joins leaves nobody behind in its group',
    async () => {
      const topic = 'gift.left';
      const long = { sessionTimeoutMs: 60_000, rebalanceDrainMs: 3_000 };
      const [staying, leaving] = [await broker.connected(long), await broker.connected(long)];
      const gate = new Gate();
      const held = recordingReceive(() => gate.opened.then(() => accept));
      await staying.subscribe(subscription({ topic }), held.receive);
      await staying.publish([{ message: testMessage({ topic }) }]);
      await held.received(1);
      // It cannot join before the other has drained, and does not wait for that.
      const active = await leaving.subscribe(subscription({ topic, from: 'earliest' }), held.receive);
      const stopping = active.stop(0);
      gate.open();
      await stopping;
      await until('one is left', async () => (await groupState(topic)) === 'Stable 1', { everyMs: 50 });
    },
    LONG_MS,
  );

  it(
    'work of a stale generation commits nothing: who owns the partition now decides',
    async () => {
      const topic = 'gift.stale';
      const places = { [topic]: { partition: (_message: unknown, _partitions: number) => next++ % 2 } };
      let next = 0;
      const options = { partitions: 2, topics: places, rebalanceDrainMs: 200 };
      const [first, second] = [await broker.connected(options), await broker.connected(options)];
      const [stale, owner] = [new Gate(), new Gate()];
      const slow = recordingReceive(() => stale.opened.then(() => accept));
      const heldAgain = recordingReceive(() => owner.opened.then(() => accept));
      await first.subscribe(subscription({ topic }), slow.receive);
      const messages = [testMessage({ topic }), testMessage({ topic })];
      await first.publish(messages.map((message) => ({ message })));
      await slow.received(2);
      await second.subscribe(subscription({ topic, from: 'earliest' }), heldAgain.receive);
      await heldAgain.received(1); // the partition that moved
      expect(heldAgain.deliveries[0]?.redelivered).toBe(true);
      const moved = messages.findIndex(({ id }) => id === heldAgain.ids[0]);
      await slow.received(3); // the one that came back
      stale.open();
      // That the slow one's commits go through is seen by its own partition.
      await until('what came back is committed', async () => (await committed(topic))[1 - moved] === 1, {
        everyMs: 50,
      });
      expect((await committed(topic))[moved]).toBe(0);
      owner.open();
      await until('its owner commits', async () => (await committed(topic))[moved] === 1, { everyMs: 50 });
      expect(heldAgain.ids).toEqual([messages[moved]!.id]);
    },
    LONG_MS,
  );

  it(
    'the mark stays below what is not settled, and what is settled above it is not repeated',
    async () => {
      const topic = 'gift.marked';
      const transport = await broker.connected({ partitions: 1 });
      const messages = Array.from({ length: 5 }, () => testMessage({ topic }));
      const gate = new Gate();
      const recording = recordingReceive(({ message }, signal) => {
        if (message.id !== messages[1]!.id) return accept;
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve(release)));
      });
      const active = await transport.subscribe(subscription({ topic }), recording.receive);
      await transport.publish(messages.map((message) => ({ message })));
      await recording.received(5);
      await until('the first is committed, and no more', async () => (await committed(topic))[0] === 1, {
        everyMs: 50,
      });
      gate.open();
      await active.stop(0);
      expect(await committed(topic)).toEqual([1]);
      const again = recordingReceive();
      await transport.subscribe(subscription({ topic }), again.receive);
      const last = testMessage({ topic });
      await transport.publish([{ message: last }]);
      await again.receivedAll([messages[1]!.id, last.id]);
      expect(again.ids).toEqual([messages[1]!.id, last.id]);
    },
    LONG_MS,
  );

  it(
    'a partition whose prefetch is in hand is paused by itself: the others go on, and it comes back',
    async () => {
      const topic = 'gift.paused';
      const stuck = 'room-stuck';
      const partition = ({ key }: { readonly key: string | null }): number => (key === stuck ? 0 : 1);
      const transport = await broker.connected({ partitions: 2, prefetch: 2, topics: { [topic]: { partition } } });
      const gate = new Gate();
      const recording = recordingReceive(({ message }) =>
        message.key === stuck ? gate.opened.then(() => accept) : accept,
      );
      await transport.subscribe(subscription({ topic, ordered: true }), recording.receive);
      const stuckOnes = Array.from({ length: 20 }, () => testMessage({ topic, key: stuck }));
      for (const message of stuckOnes) await transport.publish([{ message }]);
      const others = Array.from({ length: 20 }, (_, n) => testMessage({ topic, key: `room-${n}` }));
      for (const message of others) await transport.publish([{ message }]);
      await recording.receivedAll(others.map(({ id }) => id));
      expect(recording.ids.filter((id) => stuckOnes.some((one) => one.id === id))).toHaveLength(1);
      gate.open();
      await recording.receivedAll(stuckOnes.map(({ id }) => id));
      expect(recording.deliveries).toHaveLength(40);
    },
    LONG_MS,
  );

  it(
    'a consumer that crashes begins anew, and says so meanwhile',
    async () => {
      const topic = 'gift.crashed';
      const warnings: string[] = [];
      const write = (_fields: object, message: string): void => void warnings.push(message);
      const clients = new Set<unknown>();
      const debug = (fields: { readonly client?: unknown }): void => void clients.add(fields.client);
      const logger = { debug, info() {}, warn: write, error: write };
      const transport = await broker.connected({ logger, sessionTimeoutMs: 1_500, heartbeatMs: 300, rebalanceDrainMs: 200 }); // prettier-ignore
      const recording = recordingReceive();
      const active = await transport.subscribe(subscription({ topic }), recording.receive);
      await until('it is healthy', () => active.healthy());
      broker.proxy.down(); // longer than all the client's own repetitions
      await until('its client gave up', () => warnings.includes('a consumer ended; it begins anew'), {
        withinMs: 30_000,
      });
      expect(active.healthy()).toBe(false);
      expect(clients).toContain('Consumer'); // what the client itself has to say comes by the logger, and by no other way
      broker.proxy.up();
      await until('it is healthy again', () => active.healthy(), { withinMs: 30_000 });
      const message = testMessage({ topic });
      await until('published', async () => (await transport.publish([{ message }]))[0]?.outcome === 'confirmed', { withinMs: 20_000 }); // prettier-ignore
      await recording.receivedAll([message.id]);
    },
    LONG_MS,
  );
});

import { accept, retry } from '@tidings/core';
import { describePrivate, Gate, recordingReceive, RestartScene, testMessage, until } from '@tidings/testing';
import type { RocketMqOptions } from './rocketmq.options';
import { RocketMqConsumer } from './rocketmq-consumer';
import { RocketMqTransport } from './rocketmq.transport';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 10, from: 'now' } as const;
const LONG_MS = 300_000;
const PATIENCE_MS = 120_000;
/** Longer than the broker is away. */
const DELAY_MS = 5_000;

describePrivate('rocketmq', 'the RocketMQ transport, when its broker restarts', (node) => {
  const scene = new RestartScene(
    (options?: Partial<RocketMqOptions>) =>
      new RocketMqTransport({
        ...{ urls: node().url, nameServer: node().nameServer, invisibleMs: 5_000, reconnectMaxMs: 500 },
        ...{ connectTimeoutMs: 10_000, handBackMs: 0 },
        ...options,
      }),
    { patienceMs: PATIENCE_MS },
  );

  it.each(['stop', 'crash'] as const)(
    'loses nothing and swaps nothing of what is published, handled and settled in its middle: %s',
    (end) => scene.inTheMiddle(node(), end),
    LONG_MS,
  );

  it(
    'delivers again what was in hand, and nothing of what was settled',
    async () => {
      const transport = await scene.connected();
      const gate = new Gate();
      const recording = recordingReceive(({ message }) =>
        message.key === 'held' ? gate.opened.then(() => accept) : accept,
      );
      await transport.subscribe({ ...group, topic: 'settled' }, recording.receive);
      const done = Array.from({ length: 30 }, () => testMessage({ topic: 'settled' }));
      await scene.relay(transport, done);
      await recording.receivedAll(done.map(({ id }) => id), PATIENCE_MS); // prettier-ignore
      await scene.relay(transport, [testMessage({ topic: 'settled', key: 'held' })]);
      await recording.received(31, PATIENCE_MS);
      await node().stop();
      await node().start();
      await recording.received(32, PATIENCE_MS);
      gate.open();
      expect(recording.ids[31]).toBe(recording.ids[30]);
      expect(recording.deliveries[31]).toMatchObject({ redelivered: true });
      expect(new Set(recording.ids).size).toBe(31);
    },
    LONG_MS,
  );

  it(
    'keeps a retry that waits for its delay, and its attempt, when it stops in order',
    async () => {
      const transport = await scene.connected();
      const recording = recordingReceive(({ attempt }) => (attempt === 1 ? retry(DELAY_MS) : accept));
      await transport.subscribe({ ...group, topic: 'waiting' }, recording.receive);
      const givenBack = jest.spyOn(RocketMqConsumer.prototype, 'changeInvisibleDuration');
      await scene.relay(transport, [testMessage({ topic: 'waiting' })]);
      await until('it is given back', () => givenBack.mock.results.length > 0, { withinMs: PATIENCE_MS });
      await givenBack.mock.results[0]!.value;
      givenBack.mockRestore();
      await node().stop(); // a crash takes the count along: the broker writes it behind
      await node().start();
      await recording.received(2, PATIENCE_MS);
      expect(recording.deliveries[1]).toMatchObject({ attempt: 2, redelivered: true });
    },
    LONG_MS,
  );
});

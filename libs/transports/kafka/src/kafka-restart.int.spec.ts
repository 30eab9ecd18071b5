import { describePrivate, recordingReceive, RestartScene, testMessage } from '@tidings/testing';
import { KafkaTransport } from './kafka.transport';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 10, from: 'now' } as const;
const LONG_MS = 240_000;
const PATIENCE_MS = 90_000;

describePrivate('kafka', 'the Kafka transport, when its broker restarts', (node) => {
  const soon = { reconnectMaxMs: 500, confirmTimeoutMs: 5_000, sessionTimeoutMs: 6_000, heartbeatMs: 500 };
  const scene = new RestartScene(
    () => new KafkaTransport({ urls: node().url, partitions: 4, commitIntervalMs: 20, ...soon }),
    { patienceMs: PATIENCE_MS },
  );

  it.each(['stop', 'crash'] as const)(
    'loses nothing and swaps nothing of what is published, handled and committed in its middle: %s',
    (end) => scene.inTheMiddle(node(), end),
    LONG_MS,
  );

  it(
    'does not deliver again what was committed',
    async () => {
      const [sender, receiver] = [await scene.connected(), await scene.connected()];
      const subscription = { ...group, topic: 'settled' };
      const done = recordingReceive();
      const active = await receiver.subscribe(subscription, done.receive);
      const before = Array.from({ length: 30 }, () => testMessage({ topic: 'settled' }));
      await scene.relay(sender, before);
      await done.receivedAll(before.map(({ id }) => id));
      await active.stop(5_000); // committed for certain
      await node().crash();
      await node().start();
      const again = recordingReceive();
      await receiver.subscribe(subscription, again.receive);
      const last = testMessage({ topic: 'settled' });
      await scene.relay(sender, [last]);
      await again.receivedAll([last.id], PATIENCE_MS);
      expect(again.ids).toEqual([last.id]);
    },
    LONG_MS,
  );
});

import { accept, type Message } from '@tidings/core';
import { describePrivate, recordingReceive, testMessage, until } from '@tidings/testing';
import type { KafkaOptions } from './kafka.options';
import { KafkaTransport } from './kafka.transport';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 10, from: 'now' } as const;
const LONG_MS = 240_000;
const PATIENCE_MS = 90_000;
const KEYS = 7;

/** As a relay: in order, and nothing behind a message that did not get through. */
async function relay(transport: KafkaTransport, messages: readonly Message[]): Promise<void> {
  let at = 0;
  const batch = async (): Promise<boolean> => {
    const results = await transport.publish(messages.slice(at, at + 20).map((message) => ({ message })));
    const failed = results.findIndex(({ outcome }) => outcome === 'failed');
    at += failed < 0 ? results.length : failed;
    return at >= messages.length;
  };
  await until('all is confirmed', batch, { withinMs: PATIENCE_MS });
}

describePrivate('kafka', 'the Kafka transport, when its broker restarts', (node) => {
  const transports: KafkaTransport[] = [];
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', onUnhandled));
  afterEach(async () => {
    await Promise.all(transports.splice(0).map((transport) => transport.close()));
    expect(unhandled).toEqual([]);
  }, 60_000);
  afterAll(() => void process.off('unhandledRejection', onUnhandled));

  const connected = async (options: Partial<KafkaOptions> = {}): Promise<KafkaTransport> => {
    const soon = { reconnectMaxMs: 500, confirmTimeoutMs: 5_000, sessionTimeoutMs: 6_000, heartbeatMs: 500 };
    const transport = new KafkaTransport({
      urls: node().url,
      partitions: 4,
      commitIntervalMs: 20,
      ...soon,
      ...options,
    });
    transports.push(transport);
    await transport.connect();
    return transport;
  };

  it.each(['stop', 'crash'] as const)(
    'loses nothing and swaps nothing of what is published, handled and committed in its middle: %s',
    async (end) => {
      const topic = `middle-${end}`;
      const [sender, receiver] = [await connected(), await connected()];
      const handled: Message[] = [];
      const recording = recordingReceive(async ({ message }) => {
        await new Promise((resolve) => setImmediate(resolve));
        handled.push(message);
        return accept;
      });
      const active = await receiver.subscribe({ ...group, topic, ordered: true }, recording.receive);
      const messages = Array.from({ length: 1_500 }, (_, n) => testMessage({ topic, key: `room-${n % KEYS}` }));
      const relaying = relay(sender, messages);
      await until('a part is handled', () => handled.length >= 300, { withinMs: PATIENCE_MS });
      await node()[end]();
      const atTheEnd = new Set(handled).size;
      await node().start();
      await relaying;
      const seen = (): number => new Set(handled.map(({ id }) => id)).size;
      await until('all is handled', () => seen() === messages.length, { withinMs: PATIENCE_MS });
      expect(atTheEnd).toBeLessThan(messages.length); // it was in the middle
      const first = [...new Map(handled.map((message) => [message.id, message])).values()];
      for (let room = 0; room < KEYS; room++) {
        const ids = (list: readonly Message[]) => list.filter(({ key }) => key === `room-${room}`).map(({ id }) => id);
        expect(ids(first)).toEqual(ids(messages));
      }
      expect(recording.overlappingKeys).toEqual([]);
      await until('healthy again', () => active.healthy() && sender.health().up && receiver.health().up, { withinMs: PATIENCE_MS }); // prettier-ignore
    },
    LONG_MS,
  );

  it(
    'does not deliver again what was committed',
    async () => {
      const [sender, receiver] = [await connected(), await connected()];
      const subscription = { ...group, topic: 'settled' };
      const done = recordingReceive();
      const active = await receiver.subscribe(subscription, done.receive);
      const before = Array.from({ length: 30 }, () => testMessage({ topic: 'settled' }));
      await relay(sender, before);
      await done.receivedAll(before.map(({ id }) => id));
      await active.stop(5_000); // committed for certain
      await node().crash();
      await node().start();
      const again = recordingReceive();
      await receiver.subscribe(subscription, again.receive);
      const last = testMessage({ topic: 'settled' });
      await relay(sender, [last]);
      await again.receivedAll([last.id], PATIENCE_MS);
      expect(again.ids).toEqual([last.id]);
    },
    LONG_MS,
  );
});

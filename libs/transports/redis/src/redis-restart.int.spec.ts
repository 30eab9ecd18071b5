import { accept, type Message } from '@tidings/core';
import { describePrivate, recordingReceive, testMessage, until } from '@tidings/testing';
import { redis, type RedisTransport } from './redis.transport';

const KEYS = 7;
const PATIENCE_MS = 60_000;

/** As a relay: in order, and nothing behind a message that did not get through. */
async function relay(transport: RedisTransport, messages: readonly Message[]): Promise<void> {
  let at = 0;
  const batch = async (): Promise<boolean> => {
    const results = await transport.publish(messages.slice(at, at + 20).map((message) => ({ message })));
    const failed = results.findIndex(({ outcome }) => outcome === 'failed');
    at += failed < 0 ? results.length : failed;
    return at >= messages.length;
  };
  await until('all is confirmed', batch, { withinMs: PATIENCE_MS });
}

describePrivate('redis', 'the Redis transport, when its server restarts from its append-only file', (node) => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', onUnhandled));
  afterAll(() => void process.off('unhandledRejection', onUnhandled));

  it.each(['stop', 'crash'] as const)(
    'loses nothing and swaps nothing of what is published, handled and settled in its middle: %s',
    async (end) => {
      const topic = `middle-${end}`;
      const options = { urls: node().url, leaseMs: 3_000, reconnectMaxMs: 200, streams: 4 };
      const [sender, receiver] = [redis(options), redis(options)];
      const handled: Message[] = [];
      const recording = recordingReceive(async ({ message }) => {
        await new Promise((resolve) => setImmediate(resolve));
        handled.push(message);
        return accept;
      });
      const subscription = { topic, group: 'ranking', ordered: true, broadcast: false, concurrency: 10, from: 'now' } as const; // prettier-ignore
      try {
        await sender.connect();
        const active = await receiver.subscribe(subscription, recording.receive);
        const messages = Array.from({ length: 3_000 }, (_, n) => testMessage({ topic, key: `room-${n % KEYS}` }));
        const relaying = relay(sender, messages);
        await until('a part is handled', () => handled.length >= 200, { withinMs: PATIENCE_MS });
        await node()[end]();
        const atTheEnd = new Set(handled).size;
        await node().start();
        await relaying;
        const seen = (): number => new Set(handled.map(({ id }) => id)).size;
        await until('all is handled', () => seen() === messages.length, { withinMs: PATIENCE_MS });
        expect(atTheEnd).toBeLessThan(messages.length); // it was in the middle
        const first = [...new Map(handled.map((message) => [message.id, message])).values()];
        for (let room = 0; room < KEYS; room++) {
          const ids = (list: readonly Message[]) =>
            list.filter(({ key }) => key === `room-${room}`).map(({ id }) => id);
          expect(ids([...new Map(first.map((message) => [message.id, message])).values()])).toEqual(ids(messages));
        }
        expect(recording.overlappingKeys).toEqual([]);
        await until('healthy again', () => active.healthy() && sender.health().up && receiver.health().up);
      } finally {
        await Promise.all([sender.close(), receiver.close()]);
      }
      expect(unhandled).toEqual([]);
    },
    240_000,
  );
});

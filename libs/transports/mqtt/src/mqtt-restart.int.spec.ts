import { accept, type Message } from '@tidings/core';
import { describePrivate, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import type { MqttOptions } from './mqtt.options';
import { MqttTransport } from './mqtt.transport';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 10, from: 'now' } as const;
const LONG_MS = 120_000;
const PATIENCE_MS = 60_000;
const KEYS = 7;

/** As a relay: in order, and nothing behind a message that did not get through. */
async function relay(transport: MqttTransport, messages: readonly Message[]): Promise<void> {
  let at = 0;
  const batch = async (): Promise<boolean> => {
    const results = await transport.publish(messages.slice(at, at + 20).map((message) => ({ message })));
    const failed = results.findIndex(({ outcome }) => outcome === 'failed');
    at += failed < 0 ? results.length : failed;
    return at >= messages.length;
  };
  await until('all is confirmed', batch, { withinMs: PATIENCE_MS });
}

describePrivate('mqtt', 'the MQTT transport, when its broker restarts', (broker) => {
  const transports: MqttTransport[] = [];
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', onUnhandled));
  afterEach(async () => {
    await Promise.all(transports.splice(0).map((transport) => transport.close()));
    expect(unhandled).toEqual([]);
  });
  afterAll(() => void process.off('unhandledRejection', onUnhandled));

  const connected = async (options: Partial<MqttOptions> = {}): Promise<MqttTransport> => {
    const transport = new MqttTransport({ urls: broker().url, reconnectMaxMs: 200, ...options });
    transports.push(transport);
    await transport.connect();
    return transport;
  };

  it.each(['5.0', '3.1.1'] as const)(
    'loses nothing and swaps nothing of what is published, handled and settled in its middle: %s',
    async (protocol) => {
      const topic = `middle-${protocol}`;
      const [sender, receiver] = [await connected({ protocol }), await connected({ protocol })];
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
      await broker().stop();
      const seen = (): number => new Set(handled.map(({ id }) => id)).size;
      const atTheEnd = seen();
      await broker().start();
      await relaying;
      await until('all is handled', () => seen() === messages.length, { withinMs: PATIENCE_MS });
      expect(atTheEnd).toBeLessThan(messages.length); // it was in the middle
      const first = [...new Map(handled.map((message) => [message.id, message])).values()];
      for (let room = 0; room < KEYS; room++) {
        const ids = (list: readonly Message[]) => list.filter(({ key }) => key === `room-${room}`).map(({ id }) => id);
        expect(ids(first)).toEqual(ids(messages));
      }
      expect(recording.overlappingKeys).toEqual([]);
      await until('healthy again', () => active.healthy() && sender.health().up && receiver.health().up);
    },
    LONG_MS,
  );

  it(
    'delivers again what was in hand, and nothing of what was settled',
    async () => {
      const [sender, receiver] = [await connected(), await connected()];
      const gate = new Gate();
      const recording = recordingReceive(({ message }) =>
        message.key === 'held' ? gate.opened.then(() => accept) : accept,
      );
      await receiver.subscribe({ ...group, topic: 'settled' }, recording.receive);
      const done = Array.from({ length: 30 }, () => testMessage({ topic: 'settled' }));
      await relay(sender, done);
      await recording.receivedAll(done.map(({ id }) => id));
      await relay(sender, [testMessage({ topic: 'settled', key: 'held' })]);
      await recording.received(31);
      await broker().stop();
      await broker().start();
      await recording.received(32, PATIENCE_MS);
      gate.open();
      expect(recording.ids[31]).toBe(recording.ids[30]);
      expect(new Set(recording.ids).size).toBe(31);
    },
    LONG_MS,
  );
});

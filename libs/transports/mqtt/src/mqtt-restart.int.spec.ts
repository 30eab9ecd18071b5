import { accept } from '@tidings/core';
import { describePrivate, Gate, recordingReceive, RestartScene, testMessage } from '@tidings/testing';
import type { MqttOptions } from './mqtt.options';
import { MqttTransport } from './mqtt.transport';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 10, from: 'now' } as const;
const LONG_MS = 120_000;
const PATIENCE_MS = 60_000;

describePrivate('mqtt', 'the MQTT transport, when its broker restarts', (broker) => {
  const scene = new RestartScene(
    (options?: Partial<MqttOptions>) => new MqttTransport({ urls: broker().url, reconnectMaxMs: 200, ...options }),
  );

  it.each(['5.0', '3.1.1'] as const)(
    'loses nothing and swaps nothing of what is published, handled and settled in its middle: %s',
    (protocol) => scene.inTheMiddle(broker(), 'stop', { protocol }),
    LONG_MS,
  );

  it(
    'delivers again what was in hand, and nothing of what was settled',
    async () => {
      const [sender, receiver] = [await scene.connected(), await scene.connected()];
      const gate = new Gate();
      const recording = recordingReceive(({ message }) =>
        message.key === 'held' ? gate.opened.then(() => accept) : accept,
      );
      await receiver.subscribe({ ...group, topic: 'settled' }, recording.receive);
      const done = Array.from({ length: 30 }, () => testMessage({ topic: 'settled' }));
      await scene.relay(sender, done);
      await recording.receivedAll(done.map(({ id }) => id));
      await scene.relay(sender, [testMessage({ topic: 'settled', key: 'held' })]);
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

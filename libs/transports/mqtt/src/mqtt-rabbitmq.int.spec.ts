import { accept } from '@tidings/core';
import { describePrivate, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import { SpecBroker } from './spec-broker.fixture';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;
const LONG_MS = 180_000;

/** The second protocol of RabbitMQ: 3.1.1, no shared subscriptions, and retained messages for exact topics only. */
describePrivate('rabbitmq', "the MQTT transport on RabbitMQ's plugin", (node) => {
  let url: string;
  let broker: SpecBroker;
  beforeAll(async () => {
    url = await node().withMqtt();
  }, LONG_MS);
  beforeEach(async () => {
    broker = await SpecBroker.at(url, { protocol: '3.1.1', sharedSubscriptions: false, presenceMs: 500 });
  });
  afterEach(() => broker.close(), LONG_MS); // the node is gone by the last hook

  it(
    'a group gets what is published, keeps the order of its keys, and what it has not settled comes again',
    async () => {
      const [sender, receiver] = [await broker.connected(), await broker.connected()];
      const gate = new Gate();
      const recording = recordingReceive(({ message }) =>
        message.key === 'held' ? gate.opened.then(() => accept) : accept,
      );
      await receiver.subscribe({ ...group, topic: 'plugin', ordered: true }, recording.receive);
      const messages = Array.from({ length: 60 }, (_, n) => testMessage({ topic: 'plugin', key: `room-${n % 5}` }));
      const results = await sender.publish(messages.map((message) => ({ message })));
      expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['confirmed']));
      await recording.receivedAll(messages.map(({ id }) => id));
      const first = [...new Map(recording.deliveries.map(({ message }) => [message.id, message])).values()];
      for (let room = 0; room < 5; room++) {
        const key = `room-${room}`;
        expect(first.filter((one) => one.key === key).map(({ id }) => id)).toEqual(
          messages.filter((one) => one.key === key).map(({ id }) => id),
        );
      }
      const held = testMessage({ topic: 'plugin', key: 'held' });
      await sender.publish([{ message: held }]);
      const times = (): number => recording.ids.filter((id) => id === held.id).length;
      await until('it is in hand', () => times() === 1);
      broker.proxy.cut();
      gate.open();
      await until('it came again', () => times() >= 2, { withinMs: 60_000 });
    },
    LONG_MS,
  );

  it(
    'a group outlives its consumers, and a broadcast reaches every process',
    async () => {
      const subscription = { ...group, topic: 'kept' };
      const first = await broker.connected();
      await first.subscribe(subscription, recordingReceive().receive);
      await first.close();
      const sender = await broker.connected();
      const message = testMessage({ topic: 'kept' });
      await sender.publish([{ message }]);
      const [again, here, there] = [recordingReceive(), recordingReceive(), recordingReceive()];
      const receivers = [await broker.connected(), await broker.connected()];
      await receivers[0]!.subscribe(subscription, again.receive);
      await again.receivedAll([message.id]);
      const everybody = { ...group, topic: 'shown', group: 'screens', broadcast: true };
      await receivers[0]!.subscribe(everybody, here.receive);
      await receivers[1]!.subscribe(everybody, there.receive);
      const shown = testMessage({ topic: 'shown' });
      await sender.publish([{ message: shown }]);
      await Promise.all([here.receivedAll([shown.id]), there.receivedAll([shown.id])]);
    },
    LONG_MS,
  );
});

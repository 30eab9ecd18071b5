import { accept, reject, retry } from '@tidings/core';
import { describeOn, recordingReceive, testMessage, until } from '@tidings/testing';
import { connectAsync } from 'mqtt';
import { MqttNames } from './mqtt-names';
import { SpecBroker } from './spec-broker.fixture';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;

describeOn('mqtt', 'settlements without a negative acknowledgement', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => {
    broker = await SpecBroker.at(url);
  });
  afterEach(() => broker.settle());
  afterAll(() => broker.close(), 60_000);

  it('a retry waits in the process that took the message, and nobody else is offered it', async () => {
    const receivers = [1, 2].map(() => recordingReceive(({ attempt }) => (attempt === 1 ? retry(300) : accept)));
    for (const { receive } of receivers)
      await (await broker.connected()).subscribe({ ...group, topic: 'local' }, receive);
    const sender = await broker.connected();
    const messages = Array.from({ length: 20 }, () => testMessage({ topic: 'local' }));
    await sender.publish(messages.map((message) => ({ message })));
    const takenBy = (id: string) => receivers.map(({ deliveries }) => deliveries.filter(({ message }) => message.id === id).map(({ attempt }) => attempt)); // prettier-ignore
    const twice = receivers.map((recording) => recording.received(2));
    await Promise.all(twice); // both have some of them
    const all = (): boolean => receivers.reduce((sum, { deliveries }) => sum + deliveries.length, 0) === 2 * messages.length; // prettier-ignore
    await until('each came twice', all);
    for (const { id } of messages) expect(takenBy(id).filter(({ length }) => length > 0)).toEqual([[1, 2]]);
  });

  it('what is rejected goes to the topic of its group’s dead letters, with the reason, and is acknowledged', async () => {
    const watcher = await connectAsync(url, { protocolVersion: 5 });
    const letters: { payload: string; reason: unknown; attempts: unknown }[] = [];
    watcher.on('message', (_topic, payload, { properties }) => {
      const { 'tidings-reason': reason, 'tidings-attempts': attempts } = properties?.userProperties ?? {};
      letters.push({ payload: payload.toString(), reason, attempts });
    });
    try {
      await watcher.subscribeAsync(new MqttNames(broker.prefix).dead('dead', 'ranking'), { qos: 1 });
      const transport = await broker.connected();
      const recording = recordingReceive(() => reject('no such room'));
      const active = await transport.subscribe({ ...group, topic: 'dead' }, recording.receive);
      await transport.publish([{ message: testMessage({ topic: 'dead', payload: Buffer.from('a gift') }) }]);
      await until('a dead letter', () => letters.length === 1);
      expect(letters).toEqual([{ payload: 'a gift', reason: 'no such room', attempts: '1' }]);
      await active.stop(1_000);
      const after = recordingReceive();
      await (await broker.connected()).subscribe({ ...group, topic: 'dead' }, after.receive);
      const marker = testMessage({ topic: 'dead' });
      await transport.publish([{ message: marker }]);
      await after.receivedAll([marker.id]);
      expect(after.ids).toEqual([marker.id]);
    } finally {
      await watcher.endAsync();
    }
  });
});

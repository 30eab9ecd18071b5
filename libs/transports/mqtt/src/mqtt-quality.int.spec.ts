import { accept } from '@tidings/core';
import { describeOn, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import { SpecBroker } from './spec-broker.fixture';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;

describeOn('mqtt', 'qualities of service, sessions and retained messages of MQTT', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => {
    broker = await SpecBroker.at(url);
  });
  afterEach(() => broker.settle());
  afterAll(() => broker.close(), 60_000);

  it.each([
    [0, 1, 'gone: nobody has acknowledged anything'],
    [1, 2, 'delivered again'],
    [2, 2, 'delivered again: not taken over before it is settled'],
  ] as const)('quality %i: what was in hand when the wire broke comes %i times, %s', async (qos, times: number, _) => {
    const topic = `quality-${qos}`;
    const [sender, receiver] = [await broker.connected({ qos }), await broker.connected({ qos })];
    const gate = new Gate();
    const recording = recordingReceive(({ message }) =>
      message.key === 'held' ? gate.opened.then(() => accept) : accept,
    );
    await receiver.subscribe({ ...group, topic }, recording.receive);
    const [held, after] = [testMessage({ topic, key: 'held' }), testMessage({ topic, key: 'after' })];
    expect(await sender.publish([{ message: held }])).toEqual([{ outcome: 'confirmed' }]);
    await recording.received(1);
    broker.proxy.cut();
    await until('both are back', () => sender.health().up && receiver.health().up);
    if (times === 2) await recording.received(2);
    gate.open();
    const arrived = async (): Promise<boolean> => {
      if (!recording.ids.includes(after.id)) await sender.publish([{ message: after }]); // at quality 0 it may be lost
      return recording.ids.includes(after.id);
    };
    await until('the wire is whole', arrived);
    expect(recording.ids.filter((id) => id === held.id)).toHaveLength(times);
  });

  it('a session waits for whoever comes back, with what came meanwhile', async () => {
    const subscription = { ...group, topic: 'resumed' };
    const first = await broker.connected();
    await first.subscribe(subscription, recordingReceive().receive);
    await first.close();
    const sender = await broker.connected();
    const messages = [1, 2, 3].map(() => testMessage({ topic: 'resumed' }));
    const results = await sender.publish(messages.map((message) => ({ message })));
    expect(results.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed', 'confirmed']);
    const recording = recordingReceive();
    await (await broker.connected()).subscribe(subscription, recording.receive);
    await recording.receivedAll(messages.map(({ id }) => id));
  });

  it('a broadcast consumer begins with the last message of each key, where it is retained, and a group does not', async () => {
    const sender = await broker.connected({ retained: ['prices'] });
    const [old, last, other] = ['rose', 'rose', 'lily'].map((key) => testMessage({ topic: 'prices', key }));
    await sender.publish([old!, last!, other!].map((message) => ({ message, route: 'optional' as const })));
    const [late, grouped] = [recordingReceive(), recordingReceive()];
    const receiver = await broker.connected({ retained: ['prices'] });
    await receiver.subscribe({ ...group, topic: 'prices', group: 'screens', broadcast: true }, late.receive);
    await receiver.subscribe({ ...group, topic: 'prices' }, grouped.receive);
    await late.receivedAll([last!.id, other!.id]);
    const fresh = testMessage({ topic: 'prices', key: 'rose' });
    await sender.publish([{ message: fresh }]);
    await Promise.all([late.receivedAll([fresh.id]), grouped.receivedAll([fresh.id])]);
    expect([...late.ids].sort()).toEqual([last!.id, other!.id, fresh.id].sort());
    expect(grouped.ids).toEqual([fresh.id]);
  });
});

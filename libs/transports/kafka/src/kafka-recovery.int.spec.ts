import { accept, type NativeDeadLetter, reject, retry, type Subscription, systemClock } from '@tidings/core';
import { describeOn, recordingReceive, testMessage, until } from '@tidings/testing';
import { SpecBroker } from './spec-broker.fixture';

const subscription = (overrides: Partial<Subscription> = {}): Subscription => ({
  topic: 'gift.sent',
  group: 'ranking',
  ordered: false,
  broadcast: false,
  concurrency: 4,
  from: 'now',
  ...overrides,
});

describeOn('kafka', 'Kafka, beside the suite', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => {
    broker = await SpecBroker.at(url);
  });
  afterEach(() => broker.closeTransports(), 30_000);
  afterAll(() => broker.close(), 30_000);

  it('a delayed retry waits on the group’s own topic, and reaches no other group', async () => {
    const topic = 'gift.delayed';
    const transport = await broker.connected();
    const times: number[] = [];
    const failing = recordingReceive(({ attempt }) => {
      times.push(systemClock.monotonic());
      return attempt === 1 ? retry(400) : accept;
    });
    const other = recordingReceive();
    await transport.subscribe(subscription({ topic }), failing.receive);
    await transport.subscribe(subscription({ topic, group: 'badges' }), other.receive);
    await transport.publish([{ message: testMessage({ topic }) }]);
    await failing.received(2);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(380);
    expect(failing.deliveries[1]).toMatchObject({ attempt: 2, redelivered: true });
    await transport.publish([{ message: testMessage({ topic }) }]);
    await other.received(2);
    expect(other.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1]);
  }, 60_000);

  it('a message with a delay is refused, and the way out named', async () => {
    const transport = await broker.connected();
    await expect(transport.publish([{ message: testMessage(), delayMs: 1 }])).rejects.toThrow(/delay.*outbox/s);
  }, 60_000);

  it('a topic deleted under a running subscription and publisher: both recover within 30 s, nothing published since is missed', async () => {
    const topic = 'gift.deleted';
    const transport = await broker.connected();
    const recording = recordingReceive();
    const active = await transport.subscribe(subscription({ topic }), recording.receive);
    await transport.publish([{ message: testMessage({ topic }) }]);
    await recording.received(1);
    const admin = broker.kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: [broker.names.topic(topic)] });
    await admin.disconnect();
    const after = testMessage({ topic });
    const published = async () => (await transport.publish([{ message: after }]))[0]?.outcome === 'confirmed';
    await until('a publish is confirmed again', published, { withinMs: 30_000, everyMs: 200 });
    await recording.receivedAll([after.id], 30_000);
    expect(active.healthy()).toBe(true);
  }, 90_000);

  it('a group goes back to an offset and to the beginning, but not under its consumers', async () => {
    const topic = 'gift.replayed';
    const transport = await broker.connected({ partitions: 1 });
    const [first, second, third] = [recordingReceive(), recordingReceive(), recordingReceive()];
    const messages = [1, 2, 3].map((number) => testMessage({ topic, payload: { number } }));
    const ids = messages.map(({ id }) => id);
    const active = await transport.subscribe(subscription({ topic }), first.receive);
    await transport.publish(messages.map((message) => ({ message })));
    await first.receivedAll(ids);
    await expect(transport.rewind(topic, 'ranking', 'earliest')).rejects.toThrow(/expected no consumer/);
    await active.stop(5_000);
    await transport.rewind(topic, 'ranking', { offsets: { 0: 2 } });
    const again = await transport.subscribe(subscription({ topic }), second.receive);
    await second.receivedAll(ids.slice(2));
    expect(second.ids).toEqual(ids.slice(2));
    await again.stop(5_000);
    await transport.rewind(topic, 'ranking', 'earliest');
    await transport.subscribe(subscription({ topic }), third.receive);
    await third.receivedAll(ids);
    expect(await transport.hasGroup(topic, 'ranking')).toBe(true);
    expect(await transport.hasGroup(topic, 'nobody')).toBe(false);
  }, 60_000);

  it('a group goes back to an instant: what was published before it is not repeated', async () => {
    const topic = 'gift.instant';
    const transport = await broker.connected({ partitions: 1 });
    const [first, second] = [recordingReceive(), recordingReceive()];
    const early = [testMessage({ topic }), testMessage({ topic })];
    const active = await transport.subscribe(subscription({ topic }), first.receive);
    await transport.publish(early.map((message) => ({ message })));
    await first.receivedAll(early.map(({ id }) => id));
    const earlyMs = systemClock.now();
    await until('the clock moves on', () => systemClock.now() > earlyMs + 5); // Kafka's instants are milliseconds
    const timeMs = systemClock.now();
    const late = [testMessage({ topic }), testMessage({ topic })];
    await transport.publish(late.map((message) => ({ message })));
    await first.receivedAll(late.map(({ id }) => id));
    await active.stop(5_000);
    await transport.rewind(topic, 'ranking', { timeMs });
    await transport.subscribe(subscription({ topic }), second.receive);
    await second.receivedAll(late.map(({ id }) => id));
    expect(second.ids).toEqual(late.map(({ id }) => id));
  }, 60_000);

  it('dead letters are handed over until each is buried, and then no longer listed', async () => {
    const topic = 'gift.rejected';
    const transport = await broker.connected();
    await transport.subscribe(subscription({ topic }), recordingReceive(() => reject('no')).receive);
    const message = testMessage({ topic });
    await transport.publish([{ message }]);
    const listed = () => transport.nativeDeadLetters(topic, 'ranking', 10);
    await until('a dead letter', async () => (await listed()).length === 1, { withinMs: 15_000 });
    const buried: NativeDeadLetter[] = [];
    let failures = 0;
    const taker = await transport.takeDeadLetters(topic, 'ranking', (letter) => {
      if (failures++ === 0) return Promise.reject(new Error('the keeper is away'));
      buried.push(letter);
      return Promise.resolve();
    });
    await until('it is buried', () => buried.length === 1, { withinMs: 20_000 });
    expect(buried[0]).toMatchObject({ reason: 'no', attempts: 1, message: { id: message.id } });
    await until('it is taken', async () => (await listed()).length === 0, { withinMs: 15_000 });
    await taker.stop();
  }, 60_000);

  it('removes a topic with its groups, twice', async () => {
    const topic = 'gift.removed';
    const transport = await broker.connected();
    const active = await transport.subscribe(subscription({ topic }), recordingReceive().receive);
    await active.stop(1_000);
    await transport.removeTopic(topic, ['ranking']);
    await transport.removeTopic(topic, ['ranking']);
    expect(await transport.hasGroup(topic, 'ranking')).toBe(false);
  }, 60_000);

  it('a record of somebody who knows no CloudEvents has its place as its id', async () => {
    const topic = 'gift.foreign';
    const transport = await broker.connected({ foreign: { source: 'legacy' }, partitions: 1 });
    const recording = recordingReceive();
    await transport.subscribe(subscription({ topic }), recording.receive);
    const producer = broker.kafka.producer();
    await producer.connect();
    await producer.send({ topic: broker.names.topic(topic), messages: [{ key: 'room-7', value: '{"coins":5}' }] });
    await producer.disconnect();
    await recording.received(1);
    const id = `${broker.names.topic(topic)}/0/0`;
    expect(recording.deliveries[0]?.message).toMatchObject({ id, source: 'legacy', type: topic, key: 'room-7' });
  }, 60_000);
});

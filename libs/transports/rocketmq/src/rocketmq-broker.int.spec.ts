import { accept, retry } from '@tidings/core';
import { describeOn, Gate, ManualClock, recordingReceive, testMessage, until } from '@tidings/testing';
import { BrokerAdmin } from './broker-admin';
import { rocketMqSettings } from './rocketmq.options';
import { SpecBroker } from './spec-broker.fixture';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;
const within = { withinMs: 40_000 };

describeOn('rocketmq', 'what only RocketMQ has', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => {
    broker = await SpecBroker.at(url);
  });
  afterAll(() => broker.close(), 60_000);

  it('hands over only the tags that a group asks for, and what is for this group alone', async () => {
    const transport = await broker.connected({ groups: { ranking: { tags: ['gift.sent', 'gift.held'] } } });
    const [some, all] = [recordingReceive(undefined, 30_000), recordingReceive(undefined, 30_000)];
    await transport.subscribe({ ...group, topic: 'tags' }, some.receive);
    await transport.subscribe({ ...group, topic: 'tags', group: 'all' }, all.receive);
    const sent = ['gift.sent', 'gift.lost', 'gift.held'].map((type) => testMessage({ topic: 'tags', type }));
    const own = testMessage({ topic: 'tags', type: 'gift.lost' });
    await transport.publish(sent.map((message) => ({ message })));
    await transport.publish([{ message: own, group: 'ranking' }]);
    await all.receivedAll(sent.map(({ id }) => id));
    await some.receivedAll([own.id]);
    await until('those with a tag', () => some.deliveries.length === 3, within);
    expect([...some.ids].sort()).toEqual([sent[0]!.id, sent[2]!.id, own.id].sort());
    expect(all.deliveries).toHaveLength(3);
  }, 60_000);

  it('what the broker gives up is read and taken; a letter that is not buried comes again', async () => {
    const transport = await broker.connected({ groups: { ranking: { deliveries: 2 } } });
    const recording = recordingReceive(() => retry(0), 40_000);
    const active = await transport.subscribe({ ...group, topic: 'given-up' }, recording.receive);
    const message = testMessage({ topic: 'given-up' });
    await transport.publish([{ message }]);
    const letters = () => transport.nativeDeadLetters('given-up', 'ranking', 10);
    await until('a dead letter of the broker', async () => (await letters()).length === 1, within);
    expect(recording.deliveries.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect((await letters())[0]).toMatchObject({
      message: { id: message.id },
      reason: expect.stringContaining('rocketmq') as string,
    });
    await active.stop(1_000);
    const buried: string[] = [];
    let failures = 0;
    const taking = await transport.takeDeadLetters('given-up', 'ranking', (letter) => {
      if (failures++ < 2) return Promise.reject(new Error('the keeper is away'));
      buried.push(letter.message.id);
      return Promise.resolve();
    });
    await until('buried', () => buried.length === 1, within);
    await taking.stop();
    expect(buried).toEqual([message.id]);
    expect(await letters()).toEqual([]);
  }, 90_000);

  it('a client that hangs is told of in time: a group that nobody made', async () => {
    const transport = await broker.connected();
    await transport.subscribe({ ...group, topic: 'made' }, recordingReceive().receive);
    const strict = await broker.connected({ provision: false, connectTimeoutMs: 1_000 });
    const starting = strict.subscribe({ ...group, topic: 'made', group: 'missing' }, recordingReceive().receive);
    await expect(starting).rejects.toMatchObject({ code: 'TIDINGS_ROCKETMQ_START' });
  }, 30_000);

  it('a group keeps its shape', async () => {
    const transport = await broker.connected();
    await (await transport.subscribe({ ...group, topic: 'shape' }, recordingReceive().receive)).stop(0);
    const other = transport.subscribe({ ...group, topic: 'shape', ordered: true }, recordingReceive().receive);
    await expect(other).rejects.toMatchObject({ code: 'TIDINGS_ROCKETMQ_SHAPE' });
  }, 30_000);

  it('refuses what RocketMQ cannot carry, each for its reason', async () => {
    const transport = await broker.connected({ maxMessageBytes: 1_000 });
    const message = testMessage({ topic: 'limits' });
    const large = testMessage({ topic: 'limits', payload: Buffer.alloc(1_001, 'x') });
    const results = await transport.publish([
      { message: large, route: 'optional' },
      { message, delayMs: 24 * 3_600_000 + 1, route: 'optional' },
      { message: testMessage({ topic: 'x'.repeat(130) }) },
      { message, route: 'optional' },
    ]);
    expect(results.map((result) => (result.outcome === 'failed' ? result.reason : 'confirmed'))).toEqual([
      'too-large',
      'refused',
      'refused',
      'confirmed',
    ]);
  }, 30_000);

  it('removes what it declared, twice', async () => {
    const transport = await broker.connected();
    await (await transport.subscribe({ ...group, topic: 'gone' }, recordingReceive().receive)).stop(0);
    expect(await transport.hasGroup('gone', 'ranking')).toBe(true);
    for (let times = 0; times < 2; times++) {
      await transport.removeTopic('gone', ['ranking']);
      expect(await transport.hasGroup('gone', 'ranking')).toBe(false);
    }
  }, 30_000);

  it('keeps a message whose handler runs longer than its invisible time, which is renewed', async () => {
    const [transport, asleep] = [await broker.connected(), await broker.connected({ clock: new ManualClock() })];
    const gate = new Gate();
    const held = recordingReceive(() => gate.opened.then(() => accept));
    const lost = recordingReceive(() => gate.opened.then(() => accept), 60_000);
    await transport.subscribe({ ...group, topic: 'long' }, held.receive);
    await asleep.subscribe({ ...group, topic: 'long', group: 'asleep' }, lost.receive);
    await transport.publish([{ message: testMessage({ topic: 'long' }) }]);
    await lost.received(3); // whose clock stands: its time ran out twice
    expect(held.deliveries).toHaveLength(1);
    gate.open();
    await until('settled', () => held.running === 0);
  }, 90_000);

  it('a broadcast is a group an instance, gone when it leaves', async () => {
    const [first, second] = [await broker.connected(), await broker.connected()];
    const [left, stays] = [recordingReceive(), recordingReceive(undefined, 30_000)];
    const everybody = { ...group, topic: 'broadcast', broadcast: true };
    const [leaving] = [
      await first.subscribe(everybody, left.receive),
      await second.subscribe(everybody, stays.receive),
    ];
    const admin = new BrokerAdmin(rocketMqSettings(broker.directOptions));
    const standing = async (): Promise<number> => {
      const named = await admin.groupsOf(broker.names.topic('broadcast'));
      const there = await Promise.all([...named].map((native) => admin.hasGroup(native)));
      return there.filter(Boolean).length;
    };
    expect(await standing()).toBe(2);
    await leaving.stop(0);
    await until('its group is gone', async () => (await standing()) === 1, within);
    const message = testMessage({ topic: 'broadcast' });
    await first.publish([{ message }]);
    await stays.receivedAll([message.id]);
    expect(left.deliveries).toEqual([]);
  }, 60_000);
});

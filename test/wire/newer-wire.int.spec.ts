import { PARK_RETRY_MS } from '@tidings/core';
import { describeOn, recordingReceive, testMessage, until } from '@tidings/testing';
import { delayName } from '../../libs/transports/rabbitmq/src/delay-queues';
import { toAmqp } from '../../libs/transports/rabbitmq/src/rabbitmq-mapping';
import { SpecBroker } from '../../libs/transports/rabbitmq/src/spec-broker.fixture';

const group = { topic: 'gift.sent', group: 'ranking', broadcast: false, concurrency: 4, from: 'now' } as const;

describeOn('rabbitmq', 'a message in a newer wire version', (url) => {
  let broker: SpecBroker;
  beforeEach(async () => (broker = await SpecBroker.at(url)));
  afterEach(() => broker.close());

  const publishNewer = (id: string, key: string): Promise<unknown> =>
    broker.admin(async (channel) => {
      const { content, options } = toAmqp({ message: testMessage({ id, key }), attempts: 2 });
      const headers = { ...options.headers, 'cloudEvents:tidings': '2', 'cloudEvents:attempts': 'two' };
      channel.publish(broker.names.topic(group.topic), '7', content, { ...options, headers });
      return channel.checkExchange(broker.names.topic(group.topic));
    });

  it('goes to its group again as it came, and no handler sees it', async () => {
    const alarms: unknown[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (fields: object) => void alarms.push(fields) };
    const transport = await broker.connected({ logger });
    const received = recordingReceive();
    await transport.subscribe({ ...group, ordered: false }, received.receive);
    await publishNewer('later', 'room-7');
    const waiting = delayName(broker.names.group(group.topic, group.group), PARK_RETRY_MS);
    await until('it waits', () =>
      broker.admin(async (channel) => (await channel.checkQueue(waiting)).messageCount === 1).catch(() => false),
    );
    const copy = await broker.admin((channel) => channel.get(waiting, { noAck: false }));
    expect(copy && copy.properties.headers).toMatchObject({
      'cloudEvents:id': 'later',
      'cloudEvents:tidings': '2',
      'cloudEvents:attempts': 'two',
    });
    expect(received.ids).toEqual([]);
    expect(alarms).toEqual([expect.objectContaining({ err: expect.objectContaining({ code: 'TIDINGS_NEWER_WIRE' }) })]);
  });

  it('keeps its place before its key’s followers, and leaves it to the next consumer', async () => {
    const old = await broker.connected();
    const received = recordingReceive();
    const active = await old.subscribe({ ...group, ordered: true }, received.receive);
    await publishNewer('head', 'room-7');
    await old.publish([{ message: testMessage({ id: 'follower', key: 'room-7', topic: group.topic }) }]);
    await old.publish([{ message: testMessage({ id: 'other', key: 'room-8', topic: group.topic }) }]);
    await received.received(1);
    expect(received.ids).toEqual(['other']);
    await active.stop(1_000);
    const [lanes] = await broker.admin(async (channel) => {
      const counts = [0, 1, 2, 3].map(async (index) => {
        const queue = broker.names.lanes(group.topic, group.group, index, 4);
        return (await channel.checkQueue(queue)).messageCount;
      });
      return [(await Promise.all(counts)).reduce((sum, count) => sum + count)];
    });
    expect(lanes).toBe(2);
  });
});

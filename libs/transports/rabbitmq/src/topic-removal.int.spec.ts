import { accept } from '@tidings/core';
import { describeOn, testMessage } from '@tidings/testing';
import type { ConfirmChannel } from 'amqplib';
import { delayName } from './delay-queues';
import { SpecBroker } from './spec-broker.fixture';

const TOPIC = 'gift.removed';
const DELAY_MS = 60_000;

describeOn('rabbitmq', 'removal of a topic', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => (broker = await SpecBroker.at(url)));
  afterAll(() => broker.close());

  const exists = (kind: 'checkQueue' | 'checkExchange', name: string): Promise<boolean> =>
    broker.admin(async (channel) => {
      channel.on('error', () => undefined);
      return channel[kind as keyof ConfirmChannel & 'checkQueue'](name).then(
        () => true,
        () => false,
      );
    });

  it('leaves no queue and no exchange of its groups, delayed messages included, and does nothing the second time', async () => {
    const transport = await broker.connected();
    const shape = { topic: TOPIC, broadcast: false, concurrency: 1, from: 'now' } as const;
    for (const [group, ordered] of [
      ['ranking', true],
      ['badges', false],
    ] as const) {
      const active = await transport.subscribe({ ...shape, group, ordered }, () => Promise.resolve(accept));
      await active.stop(1_000);
    }
    await transport.publish([
      { message: testMessage({ topic: TOPIC }) },
      { message: testMessage({ topic: TOPIC }), group: 'badges', delayMs: DELAY_MS },
    ]);
    const { names } = broker;
    const exchange = names.group(TOPIC, 'badges');
    const queues = [
      exchange,
      names.dead(TOPIC, 'badges'),
      names.lanes(TOPIC, 'ranking', 0, 4),
      delayName(exchange, DELAY_MS),
    ];
    const exchanges = [names.topic(TOPIC), exchange, delayName(exchange, DELAY_MS)];
    for (const queue of queues) expect([queue, await exists('checkQueue', queue)]).toEqual([queue, true]);

    await transport.removeTopic(TOPIC, ['ranking', 'badges']);
    for (const queue of queues) expect([queue, await exists('checkQueue', queue)]).toEqual([queue, false]);
    for (const name of exchanges) expect([name, await exists('checkExchange', name)]).toEqual([name, false]);
    expect(await transport.hasGroup(TOPIC, 'ranking')).toBe(false);

    await transport.removeTopic(TOPIC, ['ranking', 'badges']);
  });
});

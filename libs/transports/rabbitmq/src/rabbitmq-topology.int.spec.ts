import { accept, type Message, type PublishResult, type Subscription } from '@tidings/core';
import { describeOn, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import type { Channel } from 'amqplib';
import type { RabbitMqOptions } from './rabbitmq.options';
import { SpecBroker } from './spec-broker.fixture';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;
const results = (list: readonly PublishResult[]) =>
  list.map((result) => (result.outcome === 'failed' ? result.reason : result.outcome));

describeOn('rabbitmq', 'declared topology of RabbitMQ', (url) => {
  let broker: SpecBroker;
  const own = { exchanges: new Set<string>(), queues: new Set<string>() };
  beforeAll(async () => (broker = await SpecBroker.at(url)));
  afterEach(() => broker.closeTransports());
  afterAll(async () => {
    await broker.admin(async (channel) => {
      for (const queue of own.queues) await channel.deleteQueue(queue);
      for (const exchange of own.exchanges) await channel.deleteExchange(exchange);
    });
    await broker.close();
  });
  const ownExchange = (name: string): string => (
    own.exchanges.add(`${broker.prefix}.${name}`),
    `${broker.prefix}.${name}`
  );
  const ownQueue = (name: string): string => (own.queues.add(`${broker.prefix}.${name}`), `${broker.prefix}.${name}`);
  const taken = (queue: string): Promise<readonly string[]> =>
    broker.admin(async (channel: Channel) => {
      const ids: string[] = [];
      for (let message; (message = await channel.get(queue, { noAck: true }));)
        ids.push(String(message.properties.messageId));
      return ids;
    });
  /** A group that is there and takes nothing: what is published waits in its queue. */
  const declared = async (topic: string, options: Partial<RabbitMqOptions>, more: Partial<Subscription> = {}) => {
    const transport = await broker.connected(options);
    const active = await transport.subscribe({ ...group, topic, ...more }, recordingReceive().receive);
    await active.stop(0);
    return transport;
  };
  const publish = (transport: Awaited<ReturnType<typeof declared>>, messages: readonly Message[]) =>
    transport.publish(messages.map((message) => ({ message })));

  it.each([
    ['direct', false],
    ['direct', true],
    ['fanout', false],
    ['fanout', true],
    ['headers', false],
    ['headers', true],
  ] as const)('a topic of type %s reaches its groups whole (ordered: %s), retries included', async (type, ordered) => {
    const topic = `${type}-${ordered}`;
    const transport = await broker.connected({ topics: { [topic]: { type } } });
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic, ordered }, recording.receive);
    const messages = Array.from({ length: 30 }, (_, n) => testMessage({ topic, key: `room-${n % 10}` }));
    expect(results(await publish(transport, messages))).toEqual(Array(30).fill('confirmed'));
    const again = testMessage({ topic });
    await transport.publish([{ message: again, group: 'ranking' }]);
    await recording.receivedAll([...messages, again].map(({ id }) => id));
    expect(recording.ids).toHaveLength(31);
  });

  it('a group takes what its bindings let through; what nobody takes goes to the alternate exchange, and counts as routed', async () => {
    const [strays, queue] = [ownExchange('strays'), ownQueue('strays')];
    const transport = await broker.connected({
      topology: {
        exchanges: { [strays]: { type: 'fanout' } },
        queues: { [queue]: { kind: 'quorum' } },
        bindings: [{ source: strays, toQueue: queue }],
      },
      topics: { bound: { type: 'headers', alternate: strays } },
      groups: { ranking: { bindings: [{ headers: { tenant: 'acme', region: 'eu' } }, { headers: { vip: 'yes', staff: 'yes' }, match: 'any' }] } },
    }); // prettier-ignore
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic: 'bound' }, recording.receive);
    const headers: Record<string, string>[] = [
      { tenant: 'acme', region: 'eu' }, { tenant: 'acme' }, { vip: 'yes' }, { staff: 'yes' }, {},
    ]; // prettier-ignore
    const messages = headers.map((one) => testMessage({ topic: 'bound', headers: one }));
    expect(results(await publish(transport, messages))).toEqual(Array(5).fill('confirmed'));
    const ids = messages.map(({ id }) => id);
    await recording.receivedAll([ids[0]!, ids[2]!, ids[3]!]);
    expect(await taken(queue)).toEqual([ids[1], ids[4]]);
    expect(recording.ids).toHaveLength(3);
  });

  it('routing keys of the user’s choice, to direct and topic bindings', async () => {
    const routingKey = ({ headers }: Message): string => `${headers['region']}.${headers['kind']}`;
    const transport = await broker.connected({
      topics: { keyed: { type: 'direct', routingKey }, patterned: { routingKey } },
      groups: { ranking: { bindings: [{ routingKey: 'eu.gift' }] }, badges: { bindings: [{ routingKey: 'eu.*' }] } },
    });
    const [direct, pattern] = [recordingReceive(), recordingReceive()];
    await transport.subscribe({ ...group, topic: 'keyed' }, direct.receive);
    await transport.subscribe({ ...group, group: 'badges', topic: 'patterned' }, pattern.receive);
    const of = (topic: string) =>
      ['eu.gift', 'eu.room', 'us.gift'].map((key) => {
        const [region = '', kind = ''] = key.split('.');
        return testMessage({ topic, headers: { region, kind } });
      });
    const [keyed, patterned] = [of('keyed'), of('patterned')];
    expect(results(await publish(transport, keyed))).toEqual(['confirmed', 'unroutable', 'unroutable']);
    expect(results(await publish(transport, patterned))).toEqual(['confirmed', 'confirmed', 'unroutable']);
    await direct.receivedAll([keyed[0]!.id]);
    await pattern.receivedAll([patterned[0]!.id, patterned[1]!.id]);
  });

  it('binds exchange to exchange, and declares again what a broker lost', async () => {
    const [audit, queue] = [ownExchange('audit'), ownQueue('audit')];
    const options: Partial<RabbitMqOptions> = {
      topics: { copied: {} },
      topology: {
        exchanges: { [audit]: { type: 'topic', internal: true } },
        queues: { [queue]: { lazy: true } },
        bindings: [
          { source: broker.names.topic('copied'), toExchange: audit, routingKey: '#' },
          { source: audit, toQueue: queue, routingKey: '#' },
        ],
      },
    };
    const transport = await broker.connected(options);
    const message = testMessage({ topic: 'copied' });
    expect(results(await publish(transport, [message]))).toEqual(['confirmed']); // no group, yet routed
    expect(await taken(queue)).toEqual([message.id]);
    await broker.admin((channel) => channel.deleteExchange(audit));
    broker.proxy.cut();
    await until('through the declared exchange again', async () => {
      await publish(transport, [testMessage({ topic: 'copied' })]);
      return (await taken(queue)).length > 0;
    });
  });

  it('refuses to start when the broker has another declaration, with the broker’s words', async () => {
    const exchange = ownExchange('other');
    await broker.connected({ topology: { exchanges: { [exchange]: { type: 'fanout' } } } });
    const other = broker.transport({ topology: { exchanges: { [exchange]: { type: 'direct' } } } });
    await expect(other.connect()).rejects.toThrow(/PRECONDITION_FAILED - inequivalent arg 'type'/);
    const transport = await broker.connected({ groups: { ranking: { queue: { maxLength: 5 } } } });
    await declared('declared', { groups: { ranking: { queue: { maxLength: 6 } } } });
    const again = transport.subscribe({ ...group, topic: 'declared' }, recordingReceive().receive);
    await expect(again).rejects.toThrow(/PRECONDITION_FAILED - inequivalent arg 'x-max-length'/);
  });

  it('dead-letters what waits too long in a queue, or by its own time, and tells why', async () => {
    const byQueue = await declared('queue-ttl', { groups: { ranking: { queue: { messageTtlMs: 50, lazy: true } } } });
    const byMessage = await declared('message-ttl', { groups: { ranking: { queue: {} } } });
    const late = testMessage({ topic: 'message-ttl', headers: { 'tidings-ttl-ms': '50' } });
    const patient = testMessage({ topic: 'message-ttl' });
    await publish(byQueue, [testMessage({ topic: 'queue-ttl' })]);
    await publish(byMessage, [late, patient]);
    for (const [transport, topic] of [
      [byQueue, 'queue-ttl'],
      [byMessage, 'message-ttl'],
    ] as const) {
      // prettier-ignore
      await until(`${topic} expired`, async () => (await transport.nativeDeadLetters(topic, 'ranking', 9)).length === 1);
      const [letter] = await transport.nativeDeadLetters(topic, 'ranking', 9);
      expect(letter?.reason).toBe(`rabbitmq: expired in ${broker.names.group(topic, 'ranking')}`);
    }
    expect(await taken(broker.names.group('message-ttl', 'ranking'))).toEqual([patient.id]);
  });

  it('a full queue gives up its oldest, or refuses the newest for now', async () => {
    const dropping = await declared('dropping', { groups: { ranking: { queue: { maxLength: 2 } } } });
    const [oldest, ...others] = [1, 2, 3].map(() => testMessage({ topic: 'dropping' }));
    for (const message of [oldest!, ...others]) await publish(dropping, [message]);
    await until('one dropped', async () => (await dropping.nativeDeadLetters('dropping', 'ranking', 9)).length === 1);
    const [letter] = await dropping.nativeDeadLetters('dropping', 'ranking', 9);
    expect(letter).toMatchObject({ message: { id: oldest!.id }, reason: expect.stringContaining('maxlen') as string });

    const options = { groups: { ranking: { queue: { maxLength: 2, overflow: 'reject-publish' } } } } as const;
    const refusing = await declared('refusing', options);
    const messages = [1, 2, 3].map(() => testMessage({ topic: 'refusing' }));
    const outcomes: string[] = [];
    for (const message of messages) outcomes.push(...results(await publish(refusing, [message])));
    expect(outcomes).toEqual(['confirmed', 'confirmed', 'transient']);
  });

  it('hands over by priority', async () => {
    const transport = await declared('urgent', { groups: { ranking: { queue: { maxPriority: 5 } } } });
    const [low, none, high] = ['1', undefined, '4'].map((priority) =>
      testMessage({ topic: 'urgent', headers: priority ? { 'tidings-priority': priority } : {} }),
    );
    await publish(transport, [low!, none!, high!]);
    expect(await taken(broker.names.group('urgent', 'ranking'))).toEqual([high!.id, low!.id, none!.id]);
  });

  it('a quorum queue gives a message up past its delivery limit, into the group’s dead letters', async () => {
    const transport = await declared('poison', {
      groups: { ranking: { queue: { kind: 'quorum', deliveryLimit: 5 } } },
    });
    await publish(transport, [testMessage({ topic: 'poison' })]);
    const queue = broker.names.group('poison', 'ranking');
    await until('given up', async () => {
      await broker.admin(async (channel) => {
        const message = await channel.get(queue, { noAck: false });
        if (message) channel.nack(message, false, true);
        await channel.checkQueue(queue);
      });
      return (await transport.nativeDeadLetters('poison', 'ranking', 9)).length === 1;
    });
    const [letter] = await transport.nativeDeadLetters('poison', 'ranking', 9);
    expect(letter?.reason).toMatch(/delivery_limit/);
  });

  it('an ordered group may have quorum queues', async () => {
    const transport = await broker.connected({ groups: { ranking: { queue: { kind: 'quorum' } } } });
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic: 'quorum', ordered: true }, recording.receive);
    const messages = Array.from({ length: 40 }, (_, n) => testMessage({ topic: 'quorum', key: `room-${n % 4}` }));
    await publish(transport, messages);
    await recording.receivedAll(messages.map(({ id }) => id));
    expect(recording.overlappingKeys).toEqual([]);
  });

  it('queues that end: exclusive with the connection, auto-delete with the last consumer, expiring when unused', async () => {
    const standing = (topic: string) =>
      broker
        .admin(async (channel) => {
          channel.on('error', () => undefined);
          await channel.checkQueue(broker.names.group(topic, 'ranking'));
          return 'free';
        })
        .catch((error: Error) => (/RESOURCE_LOCKED/.test(error.message) ? 'locked' : 'gone'));
    const exclusive = await broker.connected({ groups: { ranking: { queue: { exclusive: true } } } });
    await exclusive.subscribe({ ...group, topic: 'exclusive' }, recordingReceive().receive);
    expect(await standing('exclusive')).toBe('locked');
    await exclusive.close();
    expect(await standing('exclusive')).toBe('gone');
    const ending = await broker.connected({ groups: { ranking: { queue: { autoDelete: true } } } });
    const active = await ending.subscribe({ ...group, topic: 'ending' }, recordingReceive().receive);
    expect(await standing('ending')).toBe('free');
    await active.stop(0);
    await until('auto-deleted', async () => (await standing('ending')) === 'gone');
    await declared('unused', { groups: { ranking: { queue: { expiresMs: 100 } } } });
    // Looking is use, too: seldom enough.
    await until('expired', async () => (await standing('unused')) === 'gone', { everyMs: 700 });
  });

  it('takes no more than the channel’s limit over all queues of an ordered group', async () => {
    const transport = await broker.connected({ groups: { ranking: { channelPrefetch: 3, prefetch: 2 } } });
    const gate = new Gate();
    const recording = recordingReceive(() => gate.opened.then(() => accept));
    await transport.subscribe({ ...group, topic: 'channel', ordered: true, concurrency: 20 }, recording.receive);
    await publish(
      transport,
      Array.from({ length: 20 }, (_, n) => testMessage({ topic: 'channel', key: `room-${n}` })),
    );
    await recording.received(3);
    const waiting = () =>
      broker.admin(async (channel) => {
        const queues = [0, 1, 2, 3].map((index) => broker.names.lanes('channel', 'ranking', index, 4));
        const counts = await Promise.all(queues.map(async (queue) => (await channel.checkQueue(queue)).messageCount));
        return counts.reduce((sum, count) => sum + count);
      });
    await until('the broker keeps the rest', async () => (await waiting()) === 17);
    expect(recording.deliveries).toHaveLength(3);
    gate.open();
    await recording.received(20);
  });
});

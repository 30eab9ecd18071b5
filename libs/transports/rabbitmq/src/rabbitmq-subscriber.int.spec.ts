import { accept, CapabilityError, reject, retry } from '@tidings/core';
import { describeOn, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import { GroupShapeError } from './rabbitmq.errors';
import { RabbitMqPublisher } from './rabbitmq-publisher';
import { SpecBroker } from './spec-broker.fixture';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;

describeOn('rabbitmq', 'subscribing at RabbitMQ', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => (broker = await SpecBroker.at(url)));
  afterEach(() => broker.closeTransports());
  afterAll(() => broker.close());

  const waitingIn = (queue: string): Promise<number> =>
    broker.admin(async (channel) => (await channel.checkQueue(queue)).messageCount);

  it('refuses a group that stands in another shape, and says what to do', async () => {
    const [four, two] = [await broker.connected(), await broker.connected({ orderedQueues: 2 })];
    const { receive } = recordingReceive();
    await four.subscribe({ ...group, topic: 'shape', ordered: true }, receive);
    await four.subscribe({ ...group, topic: 'shape', ordered: true }, receive);
    const other = two.subscribe({ ...group, topic: 'shape', ordered: true }, receive);
    await expect(other).rejects.toThrow(GroupShapeError);
    await expect(other).rejects.toThrow(/expected an ordered group of 2 queues, the broker has another \(4 queues\)/);
    await expect(four.subscribe({ ...group, topic: 'shape' }, receive)).rejects.toThrow(GroupShapeError);
  });

  it.each([false, true])(
    'has its queues at the topic’s exchange, and no copies beside N−1 (ordered: %s)',
    async (ordered) => {
      const topic = `direct-${ordered}`;
      const transport = await broker.connected();
      const recording = recordingReceive();
      await transport.subscribe({ ...group, topic, ordered }, recording.receive);
      const byN1 = () =>
        broker.admin((channel) =>
          channel.bindExchange(broker.names.group(topic, 'ranking'), broker.names.topic(topic), '#'),
        );
      const publish = async (count: number) => {
        const messages = Array.from({ length: count }, (_, n) => testMessage({ topic, key: `room-${n}` }));
        const results = await transport.publish(messages.map((message) => ({ message })));
        expect(results.every(({ outcome }) => outcome === 'confirmed')).toBe(true);
        return messages.map(({ id }) => id);
      };
      await byN1(); // a process of N−1 starts beside this one
      const ids = await publish(20);
      await recording.receivedAll(ids);
      await (await broker.connected()).subscribe({ ...group, topic, ordered }, recording.receive); // takes it away again
      ids.push(...(await publish(20)));
      await recording.receivedAll(ids);
      expect(recording.ids).toHaveLength(40);
      // Without the queues' own bindings to the topic nothing would arrive once the way through the group's exchange is gone.
      await broker.admin((channel) =>
        channel.unbindExchange(broker.names.group(topic, 'ranking'), broker.names.topic(topic), '#'),
      );
      ids.push(...(await publish(5)));
      await recording.receivedAll(ids);
      expect(recording.ids).toHaveLength(45);
    },
  );

  it('refuses to begin at the oldest message, before anything is declared', async () => {
    const transport = await broker.connected();
    await expect(
      transport.subscribe({ ...group, topic: 'old', from: 'earliest' }, recordingReceive().receive),
    ).rejects.toThrow(CapabilityError);
  });

  it('reads foreign messages, and files those without identity as dead, as they came', async () => {
    const transport = await broker.connected();
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic: 'foreign' }, recording.receive);
    await broker.admin(async (channel) => {
      const exchange = broker.names.topic('foreign');
      channel.publish(exchange, 'whatever', Buffer.from('no identity'), {
        headers: { note: 'ü', 'x-death': [] },
        userId: 'guest',
        replyTo: 'whoever',
        contentType: 'text/plain',
      });
      channel.publish(exchange, '', Buffer.from('{}'), {
        messageId: 'f-1',
        type: 'gift.sent',
        appId: 'legacy',
        headers: { count: 3 },
      });
      await channel.checkExchange(exchange);
    });
    await recording.received(1);
    expect(recording.deliveries[0]?.message).toMatchObject({ id: 'f-1', source: 'legacy', headers: { count: '3' } });
    await until(
      'the other is filed',
      async () => (await transport.nativeDeadLetters('foreign', 'ranking', 9)).length === 1,
    );
    const [letter] = await transport.nativeDeadLetters('foreign', 'ranking', 9);
    expect(letter?.reason).toMatch(/^unreadable: .*no attribute id/);
    expect(letter?.attempts).toBe(0);
    expect(Buffer.from(letter!.message.payload).toString()).toBe('no identity');
    expect(await waitingIn(broker.names.group('foreign', 'ranking'))).toBe(0);
  });

  it('lists dead letters in their order, the oldest, and leaves them so', async () => {
    const transport = await broker.connected();
    const answers = recordingReceive(({ message }) => reject(`no ${String(message.headers['n'])}`));
    await transport.subscribe({ ...group, topic: 'dead', concurrency: 1 }, answers.receive);
    const messages = Array.from({ length: 5 }, (_, n) => testMessage({ topic: 'dead', headers: { n: String(n) } }));
    await transport.publish(messages.map((message) => ({ message })));
    const reasons = async (limit: number) =>
      (await transport.nativeDeadLetters('dead', 'ranking', limit)).map(({ reason }) => reason);
    await until('five dead letters', async () => (await reasons(10)).length === 5);
    expect(await reasons(3)).toEqual(['no 0', 'no 1', 'no 2']);
    expect(await reasons(10)).toEqual(['no 0', 'no 1', 'no 2', 'no 3', 'no 4']);
    expect(await transport.nativeDeadLetters('dead', 'nobody', 10)).toEqual([]);
  });

  it('takes no more than its prefetch from the broker', async () => {
    const transport = await broker.connected({ prefetch: 3 });
    const gate = new Gate();
    const recording = recordingReceive(() => gate.opened.then(() => accept));
    await transport.subscribe({ ...group, topic: 'prefetch', concurrency: 2 }, recording.receive);
    await transport.publish(Array.from({ length: 10 }, () => ({ message: testMessage({ topic: 'prefetch' }) })));
    await recording.received(2);
    await until(
      'the broker keeps the rest',
      async () => (await waitingIn(broker.names.group('prefetch', 'ranking'))) === 7,
    );
    gate.open();
    await recording.received(10);
  });

  it('stops an ordered group without a swap: what it held comes to the next consumer in order', async () => {
    const [first, second] = [await broker.connected(), await broker.connected()];
    const gate = new Gate();
    const held = recordingReceive(() => gate.opened.then(() => accept));
    const subscription = { ...group, topic: 'handover', ordered: true };
    const active = await first.subscribe(subscription, held.receive);
    const messages = Array.from({ length: 50 }, (_, i) => testMessage({ topic: 'handover', key: `room-${i % 2}` }));
    await first.publish(messages.map((message) => ({ message })));
    await held.received(2);
    const next = recordingReceive();
    await second.subscribe(subscription, next.receive);
    const stopping = active.stop(5_000);
    gate.open();
    await stopping;
    await next.received(48);
    for (const room of ['room-0', 'room-1']) {
      const ids = messages.filter(({ key }) => key === room).map(({ id }) => id);
      const seen = [...held.deliveries, ...next.deliveries].filter(({ message }) => message.key === room);
      expect(seen.map(({ message }) => message.id)).toEqual(ids);
    }
  });

  it('files a rejected head before its follower begins', async () => {
    const transport = await broker.connected();
    const gate = new Gate();
    const { send: real } = RabbitMqPublisher.prototype;
    const send = jest.spyOn(RabbitMqPublisher.prototype, 'send');
    send.mockImplementationOnce(function (this: RabbitMqPublisher, letters) {
      return real.call(this, letters); // the publish below
    });
    send.mockImplementationOnce(async () => {
      await gate.opened; // the dead letter's confirm is long in coming
      return [{ outcome: 'confirmed' }];
    });
    const [head, follower, other] = ['room-1', 'room-1', 'room-2'].map((key) => testMessage({ topic: 'filed', key }));
    const recording = recordingReceive(({ message }) => (message.id === head!.id ? reject('no') : accept));
    await transport.subscribe({ ...group, topic: 'filed', ordered: true }, recording.receive);
    await transport.publish([{ message: head! }, { message: follower! }, { message: other! }]);
    await recording.receivedAll([head!.id, other!.id]);
    expect(recording.ids).not.toContain(follower!.id);
    gate.open();
    await recording.receivedAll([follower!.id]);
    send.mockRestore();
  });

  it('retries a message without key of an ordered group through the broker, with its attempts', async () => {
    const transport = await broker.connected();
    const recording = recordingReceive(({ attempt }) => (attempt < 3 ? retry(20) : accept));
    await transport.subscribe({ ...group, topic: 'keyless', ordered: true }, recording.receive);
    await transport.publish([{ message: testMessage({ topic: 'keyless' }) }]);
    await recording.received(3);
    expect(recording.deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it('leaves no broadcast queue behind when stopped', async () => {
    const transport = await broker.connected();
    const active = await transport.subscribe({ ...group, topic: 'all', broadcast: true }, recordingReceive().receive);
    const publish = () => transport.publish([{ message: testMessage({ topic: 'all' }) }]);
    expect(await publish()).toEqual([{ outcome: 'confirmed' }]);
    await active.stop(100);
    expect(await publish()).toMatchObject([{ reason: 'unroutable' }]);
  });
});

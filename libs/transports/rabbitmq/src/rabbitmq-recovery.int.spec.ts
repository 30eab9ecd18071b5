import { accept, type Message, retry, silentLogger } from '@tidings/core';
import { describeOn, Gate, recordingReceive, TcpProxy, testMessage, until } from '@tidings/testing';
import type { Channel, ConsumeMessage } from 'amqplib';
import { RabbitMqConnectError } from './rabbitmq.errors';
import type { RabbitMqTransport } from './rabbitmq.transport';
import { SpecBroker } from './spec-broker.fixture';
import { SupervisedChannel } from './supervised-channel';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 10, from: 'now' } as const;

/** As a relay: in order, and nothing behind a message that did not get through. */
async function relay(transport: RabbitMqTransport, messages: readonly Message[]): Promise<void> {
  for (let at = 0; at < messages.length;) {
    await until('a batch is through', async () => {
      const results = await transport.publish(messages.slice(at, at + 20).map((message) => ({ message })));
      const failed = results.findIndex(({ outcome }) => outcome === 'failed');
      at += failed < 0 ? results.length : failed;
      return failed !== 0;
    });
  }
}

const healthy = (transport: RabbitMqTransport) => until('connected again', () => transport.health().up);

describeOn('rabbitmq', 'RabbitMQ transport, recovering', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => (broker = await SpecBroker.at(url)));
  afterEach(() => broker.closeTransports());
  afterAll(() => broker.close());

  it('loses nothing and keeps every key in order when the line breaks again and again', async () => {
    const [sender, receiver] = [await broker.connected(), await broker.connected()];
    const handled: Message[] = [];
    const recording = recordingReceive(async ({ message }) => {
      await new Promise((resolve) => setImmediate(resolve));
      handled.push(message);
      return accept;
    });
    await receiver.subscribe({ ...group, topic: 'broken', ordered: true }, recording.receive);
    const messages = Array.from({ length: 1_500 }, (_, i) => testMessage({ topic: 'broken', key: `room-${i % 7}` }));
    let cuts = 0;
    const relaying = relay(sender, messages);
    const cutting = (async () => {
      for (const at of [100, 500, 900, 1_300]) {
        await until(`${at} handled`, () => handled.length >= at, { withinMs: 20_000 });
        broker.proxy.cut();
        cuts += 1;
      }
    })();
    await Promise.all([relaying, cutting]);
    await recording.receivedAll(messages.map(({ id }) => id));
    expect(cuts).toBe(4);
    // Copies are allowed, the first time that each is handled is in order.
    const first = [...new Map(handled.map((message) => [message.id, message])).values()];
    for (let room = 0; room < 7; room++) {
      const ids = (list: Message[]) => list.filter(({ key }) => key === `room-${room}`).map(({ id }) => id);
      expect(ids(first)).toEqual(ids(messages));
    }
    expect(recording.overlappingKeys).toEqual([]);
  }, 60_000);

  it('handles what waited behind a head when the line broke once, not once for each time it was delivered', async () => {
    const [sender, receiver] = [await broker.connected({ urls: url }), await broker.connected()];
    const gate = new Gate();
    const recording = recordingReceive(() => gate.opened.then(() => accept));
    const active = await receiver.subscribe({ ...group, topic: 'waiting', ordered: true }, recording.receive);
    const messages = Array.from({ length: 10 }, () => testMessage({ topic: 'waiting', key: 'room-1' }));
    await sender.publish(messages.map((message) => ({ message })));
    await recording.received(1);
    broker.proxy.cut();
    await until('noticed', () => !active.healthy());
    await until('back', () => active.healthy());
    gate.open();
    await recording.received(11);
    const ids = messages.map(({ id }) => id);
    expect(recording.ids).toEqual([ids[0], ...ids]); // the head was in the handler's hands, so it comes twice
    await active.stop(1_000);
    expect(recording.deliveries).toHaveLength(11);
  });

  it('consumes again after its queue was deleted under it', async () => {
    const transport = await broker.connected();
    const recording = recordingReceive();
    const active = await transport.subscribe({ ...group, topic: 'deleted' }, recording.receive);
    await broker.admin((channel) => channel.deleteQueue(broker.names.group('deleted', 'ranking')));
    await until('noticed', () => !active.healthy());
    await until('back', () => active.healthy());
    await transport.publish([{ message: testMessage({ topic: 'deleted' }) }]);
    await recording.received(1);
  });

  it('consumes again after its channel was closed for an error, and everything unsettled comes again', async () => {
    const transport = await broker.connected();
    const gate = new Gate();
    const recording = recordingReceive(() => gate.opened.then(() => accept));
    const active = await transport.subscribe({ ...group, topic: 'erred' }, recording.receive);
    await transport.publish([
      { message: testMessage({ topic: 'erred' }) },
      { message: testMessage({ topic: 'erred' }) },
    ]);
    await recording.received(2);
    const seen = jest.spyOn(SupervisedChannel.prototype, 'channel', 'get');
    expect(active.healthy()).toBe(true);
    const channel = seen.mock.results.at(-1)?.value as Channel;
    seen.mockRestore();
    // An ack for a delivery that never was is what a broker closes a channel for.
    channel.ack({ fields: { deliveryTag: 4_711 } } as ConsumeMessage);
    await until('noticed', () => !active.healthy());
    await until('back', () => active.healthy());
    await recording.received(4);
    gate.open();
    expect(recording.deliveries.slice(2).every(({ redelivered }) => redelivered)).toBe(true);
  });

  it('publishes again after its exchange was deleted under it', async () => {
    const transport = await broker.connected();
    await transport.publish([{ message: testMessage({ topic: 'gone' }), route: 'optional' }]);
    await broker.admin((channel) => channel.deleteExchange(broker.names.topic('gone')));
    const [lost] = await transport.publish([{ message: testMessage({ topic: 'gone' }), route: 'optional' }]);
    expect(lost).toMatchObject({ outcome: 'failed', reason: 'transient' });
    await until('through again', async () => {
      const [result] = await transport.publish([{ message: testMessage({ topic: 'gone' }), route: 'optional' }]);
      return result?.outcome === 'confirmed';
    });
  });

  it('a broadcast misses nothing of a short cut', async () => {
    const [sender, receiver] = [await broker.connected({ urls: url }), await broker.connected()];
    const recording = recordingReceive(({ attempt }) => (attempt === 1 ? retry(5) : accept));
    const active = await receiver.subscribe({ ...group, topic: 'all', broadcast: true }, recording.receive);
    broker.proxy.down();
    await until('noticed', () => !active.healthy());
    const meanwhile = testMessage({ topic: 'all' });
    const [result] = await sender.publish([{ message: meanwhile }]);
    expect(result).toEqual({ outcome: 'confirmed' });
    broker.proxy.up();
    await recording.received(2);
    expect(recording.ids).toEqual([meanwhile.id, meanwhile.id]);
  });

  it('goes to the next address when one does not answer, and comes back when that one fails', async () => {
    const other = await TcpProxy.to(url);
    const dead = 'amqp://me:secret@127.0.0.1:1';
    const transport = await broker.connected({ urls: [dead, other.url, broker.proxy.url] });
    expect(transport.health().detail).toContain(new URL(other.url).host);
    other.down();
    const { host } = new URL(broker.proxy.url);
    const both = `publish: connected to ${host}; consume: connected to ${host}`;
    await until('both at the last address', () => transport.health().detail === both);
    await other.close();
    const nowhere = broker.transport({ urls: [dead] });
    await expect(nowhere.connect()).rejects.toThrow(RabbitMqConnectError);
    await expect(nowhere.connect()).rejects.toThrow(/^(?!.*secret).*127\.0\.0\.1:1: .*connect ECONNREFUSED/);
  });

  it('leaves a broker that hangs by its heartbeat', async () => {
    // Told by the log: health may be up again before anybody looks.
    const lost: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, message: string) => void lost.push(message) };
    const transport = await broker.connected({ heartbeatMs: 1_000, logger });
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic: 'silent' }, recording.receive);
    broker.proxy.freeze();
    const noticed = () => lost.filter((message) => message.startsWith('the connection')).length >= 2;
    await until('both connections are given up', noticed, { withinMs: 15_000 });
    await healthy(transport);
    await relay(transport, [testMessage({ topic: 'silent' })]);
    await recording.received(1);
  });

  it('closes while the broker is away, and while it connects', async () => {
    const away = await broker.connected({ drainMs: 50 });
    await away.subscribe({ ...group, topic: 'closing' }, recordingReceive().receive);
    broker.proxy.down();
    await until('noticed', () => !away.health().up);
    await Promise.all([away.close(), away.close()]);
    broker.proxy.up();
    const connecting = broker.transport();
    const [connected, closed] = await Promise.allSettled([connecting.connect(), connecting.close()]);
    expect(connected.status).toBe('rejected');
    expect(closed.status).toBe('fulfilled');
    expect(connecting.health().up).toBe(false);
  });
});

import { accept, type Message, type OutgoingMessage, retry, systemClock } from '@tidings/core';
import { describeOn, recordingReceive, testMessage, until } from '@tidings/testing';
import { SpecBroker } from './spec-broker.fixture';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 50, from: 'now' } as const;

describeOn('rabbitmq', 'publishing to RabbitMQ', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => (broker = await SpecBroker.at(url)));
  afterEach(() => broker.closeTransports());
  afterAll(() => broker.close());

  it('tells returned messages from routed ones, among many copies of one message at once', async () => {
    const transport = await broker.connected();
    await transport.subscribe({ ...group, topic: 'heard' }, recordingReceive().receive);
    const message = testMessage({ topic: 'heard' });
    const outgoing: OutgoingMessage[] = Array.from({ length: 300 }, (_, index) =>
      index % 3 === 0
        ? { message: { ...message, topic: 'unheard' } }
        : index % 3 === 1
          ? { message: { ...message, topic: 'unheard' }, route: 'optional' }
          : { message },
    );
    const results = await Promise.all([transport.publish(outgoing), transport.publish(outgoing)]);
    const expected = outgoing.map((_, index) => (index % 3 === 0 ? 'unroutable' : 'confirmed'));
    for (const list of results) {
      expect(list.map((result) => (result.outcome === 'failed' ? result.reason : result.outcome))).toEqual(expected);
    }
  });

  it('packs attributes where asked, and reads both forms', async () => {
    const [separate, packed] = [await broker.connected(), await broker.connected({ attributes: 'packed' })];
    const recording = recordingReceive(({ attempt }) => (attempt === 1 ? retry(10) : accept));
    await separate.subscribe({ ...group, topic: 'packed', concurrency: 1 }, recording.receive);
    const message = testMessage({ topic: 'packed', key: 'комната', headers: { note: '💐' } });
    const stamp = { sequence: 7, epoch: 2, epochStart: 5 };
    expect(await packed.publish([{ message, stamp }])).toEqual([{ outcome: 'confirmed' }]);
    await recording.received(2); // the retry is written by the other
    for (const [index, delivery] of recording.deliveries.entries()) {
      expect(delivery).toMatchObject({
        attempt: index + 1,
        stamp,
        message: { ...message, payload: expect.anything() as unknown },
      });
    }
  });

  it('keeps the order of each key over several channels', async () => {
    const transport = await broker.connected({ publishChannels: 4 });
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic: 'pool', ordered: true }, recording.receive);
    const messages = Array.from({ length: 400 }, (_, n) => testMessage({ topic: 'pool', key: `room-${n % 9}` }));
    const [first, second] = [messages.slice(0, 300), messages.slice(300)];
    for (const some of [first, second]) await transport.publish(some.map((message) => ({ message })));
    await recording.received(400);
    for (let room = 0; room < 9; room++) {
      const ids = (list: readonly Message[]) => list.filter(({ key }) => key === `room-${room}`).map(({ id }) => id);
      expect(ids(recording.deliveries.map(({ message }) => message))).toEqual(ids(messages));
    }
  });

  it('to a group that nobody ever subscribed is unroutable, and declares nothing', async () => {
    const transport = await broker.connected();
    const [result] = await transport.publish([{ message: testMessage({ topic: 'heard' }), group: 'unknown' }]);
    expect(result).toMatchObject({ outcome: 'failed', reason: 'unroutable' });
    const missing = broker.admin(async (channel) => {
      channel.on('error', () => undefined);
      await channel.checkExchange(broker.names.group('heard', 'unknown'));
    });
    await expect(missing).rejects.toThrow(/NOT_FOUND/);
  });

  it('refuses what AMQP or its options rule out, one by one, and the others go through', async () => {
    const transport = await broker.connected({ maxMessageBytes: 1_000 });
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic: 'limits' }, recording.receive);
    const fine = testMessage({ topic: 'limits' });
    const results = await transport.publish([
      { message: testMessage({ topic: 'limits', payload: Buffer.alloc(1_001) }) },
      { message: testMessage({ topic: 'limits', headers: { huge: 'x'.repeat(70_000) } }) },
      { message: testMessage({ topic: 'limits', headers: { 'cloudEvents:id': 'mine' } }) },
      { message: testMessage({ topic: 'x'.repeat(300) }) },
      { message: fine, delayMs: 2_000_000_001 },
      { message: fine },
    ]);
    const reasons = results.map((result) => (result.outcome === 'failed' ? result.reason : result.outcome));
    expect(reasons).toEqual(['too-large', 'too-large', 'refused', 'refused', 'refused', 'confirmed']);
    await recording.received(1);
    expect(recording.ids).toEqual([fine.id]);
  });

  it('leaves TCP_NODELAY on: a single confirmed publish takes milliseconds, not 40', async () => {
    const transport = await broker.connected({ urls: url });
    await transport.subscribe({ ...group, topic: 'quick' }, recordingReceive().receive);
    // Past 2 KiB amqplib writes a message in two pieces, and Nagle's algorithm holds the second back until the first is acknowledged.
    const message = testMessage({ topic: 'quick', payload: Buffer.alloc(4_096) });
    await transport.publish([{ message }]);
    const took: number[] = [];
    for (let i = 0; i < 41; i++) {
      const began = systemClock.monotonic();
      await transport.publish([{ message }]);
      took.push(systemClock.monotonic() - began);
    }
    expect(took.sort((a, b) => a - b)[20]).toBeLessThan(20);
  });

  it('waits for the socket instead of buffering: 32 MiB at once arrive whole and in order', async () => {
    const [sender, receiver] = [await broker.connected(), await broker.connected()];
    const recording = recordingReceive();
    await receiver.subscribe({ ...group, topic: 'large', ordered: true }, recording.receive);
    const payload = Buffer.alloc(1024 * 1024, 7);
    const messages = Array.from({ length: 32 }, () => testMessage({ topic: 'large', key: 'room-1', payload }));
    const results = await sender.publish(messages.map((message) => ({ message })));
    expect(results.every(({ outcome }) => outcome === 'confirmed')).toBe(true);
    await recording.received(32);
    expect(recording.ids).toEqual(messages.map(({ id }) => id));
  });

  it('keeps delay queues only while they are used: each is declared to end itself well after its last message', async () => {
    const transport = await broker.connected();
    const recording = recordingReceive();
    await transport.subscribe({ ...group, topic: 'delayed' }, recording.receive);
    const delays = [90, 100, 55, 120, 52];
    const messages = delays.map(() => testMessage({ topic: 'delayed' }));
    await transport.publish(messages.map((message, index) => ({ message, delayMs: delays[index]! })));
    await recording.received(5);
    const waiting = await broker.admin(async (channel) => {
      const levels = [60, 100, 120].map((level) => `${broker.names.topic('delayed')}/delay/${level}`);
      for (const level of levels) {
        // Declared anew with the same arguments passes, with others it would close the channel.
        const ttl = Number(level.split('/').at(-1));
        await channel.assertQueue(level, {
          messageTtl: ttl,
          deadLetterExchange: broker.names.topic('delayed'),
          expires: 2 * ttl + 120_000,
        });
      }
      return Promise.all(levels.map(async (level) => (await channel.checkQueue(level)).messageCount));
    });
    expect(waiting).toEqual([0, 0, 0]);
  });

  it('while the broker is away: transient at once, and again through when it is back', async () => {
    const transport = await broker.connected();
    await transport.subscribe({ ...group, topic: 'away' }, recordingReceive().receive);
    broker.proxy.down();
    try {
      await until('noticed', () => !transport.health().up);
      const [result] = await transport.publish([{ message: testMessage({ topic: 'away' }) }]);
      expect(result).toMatchObject({ outcome: 'failed', reason: 'transient' });
    } finally {
      broker.proxy.up();
    }
    await until('through again', async () => {
      const [result] = await transport.publish([{ message: testMessage({ topic: 'away' }) }]);
      return result?.outcome === 'confirmed';
    });
  });

  it('never hangs on a broker that does: transient after confirmTimeoutMs, and the transport closes', async () => {
    const transport = await broker.connected({ confirmTimeoutMs: 200, drainMs: 100 });
    await transport.subscribe({ ...group, topic: 'hung' }, recordingReceive().receive);
    await transport.publish([{ message: testMessage({ topic: 'hung' }) }]);
    broker.proxy.freeze();
    const messages = [{ message: testMessage({ topic: 'hung' }) }, { message: testMessage({ topic: 'never seen' }) }];
    const results = await transport.publish([...messages, ...messages]);
    expect(results.map((result) => result.outcome === 'failed' && result.reason)).toEqual(Array(4).fill('transient'));
    await transport.close();
    expect(transport.health().up).toBe(false);
  });
});

import { accept, type NativeDeadLetter, reject, systemClock } from '@tidings/core';
import { describeOn, Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import { SpecBroker } from './spec-broker.fixture';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;

describeOn('rabbitmq', 'dead letters taken from RabbitMQ', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => (broker = await SpecBroker.at(url)));
  afterEach(() => broker.closeTransports());
  afterAll(() => broker.close());

  /** A group whose messages expire at once, for nobody takes them. */
  const expiring = async (topic: string) => {
    const transport = await broker.connected({ groups: { ranking: { queue: { messageTtlMs: 20 } } } });
    const active = await transport.subscribe({ ...group, topic }, recordingReceive().receive);
    await active.stop(0);
    const publish = async (count: number) => {
      const messages = Array.from({ length: count }, () => testMessage({ topic, headers: { note: 'ü' } }));
      await transport.publish(messages.map((message) => ({ message, attempts: 2 })));
      return messages.map(({ id }) => id);
    };
    return { transport, publish };
  };
  const left = (topic: string): Promise<number> =>
    broker.admin(async (channel) => (await channel.checkQueue(broker.names.dead(topic, 'ranking'))).messageCount);

  it('are handed over with what the broker tells of them, and gone afterwards', async () => {
    const { transport, publish } = await expiring('taken');
    const letters: NativeDeadLetter[] = [];
    const taking = await transport.takeDeadLetters('taken', 'ranking', (letter) => {
      letters.push(letter);
      return Promise.resolve();
    });
    const ids = await publish(3);
    await until('three taken', () => letters.length === 3);
    expect(letters.map(({ message }) => message.id)).toEqual(ids);
    const queue = broker.names.group('taken', 'ranking');
    expect(letters[0]).toMatchObject({
      message: { topic: 'taken', headers: { note: 'ü' } },
      reason: `rabbitmq: expired in ${queue}`,
      attempts: 2,
      failures: [
        {
          attempt: 1,
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
          instance: `rabbitmq queue ${queue}`,
          errors: [{ name: 'rabbitmq.expired', message: `expired in ${queue}, 1 time(s)` }],
        },
      ],
    });
    await taking.stop();
    expect(await left('taken')).toBe(0);
  });

  it('stay at the broker until they are buried: a failed burial is tried again, a cut in between hands over a copy', async () => {
    const { transport, publish } = await expiring('kept');
    const [first] = await publish(1);
    const gate = new Gate();
    const calls: string[] = [];
    const taking = await transport.takeDeadLetters('kept', 'ranking', async ({ message }) => {
      calls.push(message.id);
      if (calls.length === 1) throw new Error('disk full');
      if (calls.length === 2) await gate.opened; // the line breaks while it is being buried
    });
    await until('tried again', () => calls.length === 2);
    broker.proxy.cut();
    await until('the broker has it back', async () => (await left('kept')) === 1);
    gate.open();
    await until('handed over once more', () => calls.length === 3);
    expect(calls).toEqual([first, first, first]);
    await taking.stop();
    expect(await left('kept')).toBe(0);
  });

  it('stay at the broker when the keeper stops in the middle', async () => {
    const { transport, publish } = await expiring('stopped');
    let calls = 0;
    const taking = await transport.takeDeadLetters('stopped', 'ranking', () => {
      calls += 1;
      return Promise.reject(new Error('the store is away'));
    });
    await publish(2);
    await until('tried', () => calls > 0);
    await taking.stop();
    expect(await left('stopped')).toBe(2);
  });

  it('are of one process each, where several take them', async () => {
    const { transport, publish } = await expiring('shared');
    const other = await broker.connected();
    const seen: string[] = [];
    const bury = ({ message }: NativeDeadLetter): Promise<void> => Promise.resolve(void seen.push(message.id));
    await Promise.all([transport, other].map((one) => one.takeDeadLetters('shared', 'ranking', bury)));
    const ids = await publish(30);
    await until('all taken', () => seen.length >= 30);
    expect([...seen].sort()).toEqual([...ids].sort());
  });

  it('do not expire for the time to live of their message, nor does it cut a delay short', async () => {
    const transport = await broker.connected();
    const subscription = { ...group, topic: 'lasting' };
    const headers = { 'tidings-ttl-ms': '30' };
    const recording = recordingReceive(({ message }) => (message.id === 'dead' ? reject('no') : accept));
    await transport.subscribe(subscription, recording.receive);
    const [dead, delayed] = ['dead', 'delayed'].map((id) => testMessage({ id, topic: 'lasting', headers }));
    const began = systemClock.monotonic();
    await transport.publish([{ message: dead! }, { message: delayed!, delayMs: 400 }]);
    await recording.receivedAll(['dead', 'delayed']);
    expect(systemClock.monotonic() - began).toBeGreaterThan(390);
    expect(await transport.nativeDeadLetters('lasting', 'ranking', 9)).toMatchObject([{ message: { id: 'dead' } }]);
  });

  it('a delay on the way is no failure', async () => {
    const { transport } = await expiring('delayed');
    const recording = recordingReceive(() => accept);
    await transport.subscribe({ ...group, topic: 'delayed' }, recording.receive);
    await transport.publish([{ message: testMessage({ topic: 'delayed' }), delayMs: 20 }]);
    await recording.received(1);
    expect(await transport.nativeDeadLetters('delayed', 'ranking', 1)).toEqual([]);
  });
});

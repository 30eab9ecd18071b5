import { accept, CapabilityError, reject, release, retry } from '@tidings/core';
import { describeOn, recordingReceive, testMessage, until } from '@tidings/testing';
import { SpecBroker } from './spec-broker.fixture';

const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;

describeOn('rabbitmq', 'pulling from RabbitMQ', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => (broker = await SpecBroker.at(url)));
  afterEach(() => broker.closeTransports());
  afterAll(() => broker.close());

  it('takes what waits, in order and no more than asked, and tells how many', async () => {
    const transport = await broker.connected();
    const subscription = { ...group, topic: 'pulled' };
    const recording = recordingReceive();
    expect(await transport.pull(subscription, recording.receive, 5)).toBe(0); // and the group is declared
    const messages = Array.from({ length: 7 }, () => testMessage({ topic: 'pulled' }));
    await transport.publish(messages.map((message) => ({ message })));
    expect(await transport.pull(subscription, recording.receive, 5)).toBe(5);
    expect(await transport.pull(subscription, recording.receive, 5)).toBe(2);
    expect(recording.ids).toEqual(messages.map(({ id }) => id));
    expect(recording.mostAtOnce).toBe(1);
  });

  it('settles as a subscription does: again with its attempt, dead letter, back at once', async () => {
    const transport = await broker.connected();
    const subscription = { ...group, topic: 'settled' };
    const { receive: none } = recordingReceive();
    await transport.pull(subscription, none, 1);
    const [again, dead, back] = ['again', 'dead', 'back'].map((id) => testMessage({ id, topic: 'settled' }));
    await transport.publish([again!, dead!, back!].map((message) => ({ message })));
    const answers = recordingReceive(({ message: { id }, redelivered }) => {
      if (id === 'dead') return reject('no');
      return redelivered ? accept : id === 'again' ? retry(10) : release;
    });
    await until('all settled', async () => {
      await transport.pull(subscription, answers.receive, 9);
      return answers.deliveries.length >= 5;
    });
    const attempts = (wanted: string) =>
      answers.deliveries.filter(({ message }) => message.id === wanted).map(({ attempt }) => attempt);
    expect([attempts('again'), attempts('dead'), attempts('back')]).toEqual([[1, 2], [1], [1, 1]]);
    const letters = await transport.nativeDeadLetters('settled', 'ranking', 9);
    expect(letters).toMatchObject([{ message: { id: 'dead' }, reason: 'no', attempts: 1 }]);
  });

  it('leaves what it had in hand to the broker when the line breaks', async () => {
    const transport = await broker.connected();
    const subscription = { ...group, topic: 'broken-pull' };
    await transport.pull(subscription, recordingReceive().receive, 1);
    const message = testMessage({ topic: 'broken-pull' });
    await transport.publish([{ message }]);
    const cutting = recordingReceive(async () => {
      broker.proxy.down();
      await until('noticed', () => !transport.health().up);
      return accept;
    });
    await transport.pull(subscription, cutting.receive, 1);
    broker.proxy.up();
    await until('connected again', () => transport.health().up);
    const recording = recordingReceive();
    await until('there again', async () => (await transport.pull(subscription, recording.receive, 1)) === 1);
    expect(recording.deliveries[0]).toMatchObject({ message: { id: message.id }, redelivered: true });
  });

  it.each([{ ordered: true }, { broadcast: true }])('refuses %j, which needs a consumer that stays', async (more) => {
    const transport = await broker.connected();
    const pulling = transport.pull({ ...group, ...more, topic: 'refused' }, recordingReceive().receive, 1);
    await expect(pulling).rejects.toThrow(CapabilityError);
  });
});

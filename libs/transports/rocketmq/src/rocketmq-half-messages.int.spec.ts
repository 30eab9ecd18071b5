import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Message, systemClock, type TwoPhaseAnswer } from '@tidings/core';
import { describeOn, recordingReceive, testMessage, until } from '@tidings/testing';
import { RemotingConnection } from './remoting-connection';
import { SpecBroker } from './spec-broker.fixture';

/** UPDATE_BROKER_CONFIG and GET_BROKER_CONFIG of apache/rocketmq's RequestCode. */
const [UPDATE_CONFIG, GET_CONFIG] = [25, 26];
const CHECK_MAX = 'transactionCheckMax';
const within = { withinMs: 60_000 };
const group = { group: 'ranking', ordered: false, broadcast: false, concurrency: 4, from: 'now' } as const;

describeOn('rocketmq', 'half messages of RocketMQ', (url) => {
  let broker: SpecBroker;
  beforeAll(async () => {
    broker = await SpecBroker.at(url);
  });
  afterAll(() => broker.close(), 60_000);

  async function scene(topic: string, answer: (message: Message) => Promise<TwoPhaseAnswer>) {
    const transport = await broker.connected({ halfMessages: true });
    const recording = recordingReceive(undefined, 60_000);
    await transport.subscribe({ ...group, topic }, recording.receive);
    const asked: string[] = [];
    await transport.answerChecks(topic, (message) => {
      asked.push(message.id);
      return answer(message);
    });
    return { transport, recording, asked };
  }

  it('commit delivers, rollback never does; who is undecided is asked, again after unknown', async () => {
    const [kept, dropped, late] = [1, 2, 3].map(() => testMessage({ topic: 'paid' }));
    const { transport, recording, asked } = await scene('paid', () =>
      Promise.resolve(asked.length < 2 ? 'unknown' : 'commit'),
    );
    await (await transport.prepare({ message: dropped! })).rollback();
    const held = await transport.prepare({ message: kept! });
    expect(recording.deliveries).toEqual([]);
    await held.commit();
    await held.commit();
    await recording.receivedAll([kept!.id]);
    await transport.prepare({ message: late! }); // and nobody decides
    await recording.receivedAll([late!.id]);
    expect(asked.length).toBeGreaterThanOrEqual(2);
    expect(new Set(asked)).toEqual(new Set([late!.id]));
    expect([...new Set(recording.ids)].sort()).toEqual([kept!.id, late!.id].sort());
  }, 120_000);

  it('another process answers for a sender that was killed', async () => {
    const { recording } = await scene('killed', () => Promise.resolve('commit'));
    const message = testMessage({ topic: 'killed' });
    const child = fork(join(__dirname, 'prepare-process.fixture.ts'), {
      execArgv: ['--require', join(__dirname, '../../../testing/register-sources.cjs')],
    });
    const payload = Buffer.from(message.payload).toString('base64');
    child.send({ options: { ...broker.directOptions, halfMessages: true }, message: { ...message, payload } });
    const [report] = (await once(child, 'message')) as [string];
    expect(report).toBe('prepared');
    expect(recording.deliveries).toEqual([]);
    child.kill('SIGKILL');
    await recording.receivedAll([message.id]);
  }, 120_000);

  it('drops what was asked for too often: only as many questions as the broker has', async () => {
    const admin = await RemotingConnection.open('127.0.0.1:10911', systemClock, 5_000);
    const before = /^transactionCheckMax=(\d+)$/m.exec((await admin.call({ code: GET_CONFIG })).body.toString())![1]!;
    const set = (max: string) => admin.call({ code: UPDATE_CONFIG, body: Buffer.from(`${CHECK_MAX}=${max}\n`) });
    try {
      const [lost, marker] = [testMessage({ topic: 'lost' }), testMessage({ topic: 'lost' })];
      const answers: Record<string, TwoPhaseAnswer> = {};
      const { transport, recording, asked } = await scene('lost', ({ id }) =>
        Promise.resolve(answers[id] ?? 'unknown'),
      );
      await set('2');
      await transport.prepare({ message: lost });
      await until('asked twice', () => asked.length >= 2, within);
      await transport.prepare({ message: marker });
      const times = (id: string): number => asked.filter((other) => other === id).length;
      await until('the marker was asked for twice', () => times(marker.id) >= 2, within);
      expect(times(lost.id)).toBe(2);
      answers[lost.id] = 'commit'; // nobody asks any more
      await set(before);
      const last = testMessage({ topic: 'lost' });
      await (await transport.prepare({ message: last })).commit();
      await recording.receivedAll([last.id]);
      expect(recording.ids).not.toContain(lost.id);
    } finally {
      await set(before);
      admin.close();
    }
  }, 180_000);
});

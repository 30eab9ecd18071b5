import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describeOn, recordingReceive, until } from '@tidings/testing';
import type { PresenceEvent } from './presence-events';
import { SpecBroker } from './spec-broker.fixture';

const group = {
  topic: 'rooms',
  group: 'ranking',
  ordered: false,
  broadcast: false,
  concurrency: 4,
  from: 'now',
} as const;

describeOn('mqtt', 'presence by the last will of MQTT', (url) => {
  let broker: SpecBroker;
  beforeEach(async () => {
    broker = await SpecBroker.at(url);
  });
  afterEach(() => broker.close(), 60_000);

  async function watched() {
    const watcher = await broker.connected();
    const events: PresenceEvent[] = [];
    const forget = await watcher.watchPresence((event) => events.push(event));
    const kinds = (): string[] => events.map(({ kind }) => kind);
    return { events, kinds, forget };
  }

  it('tells who joined and who left in order', async () => {
    const { events, kinds, forget } = await watched();
    const active = await (await broker.connected()).subscribe(group, recordingReceive().receive);
    await until('joined', () => kinds().includes('joined'));
    await active.stop(1_000);
    await until('left', () => kinds().includes('left'));
    expect(kinds()).toEqual(['joined', 'left']);
    const [joined, left] = events;
    expect(joined).toMatchObject({ topic: 'rooms', group: 'ranking' });
    expect(left).toMatchObject({ consumer: joined!.consumer });
    forget();
    await (await broker.connected()).subscribe({ ...group, group: 'other' }, recordingReceive().receive);
    expect(kinds()).toEqual(['joined', 'left']);
  });

  it('tells a newcomer who is there, and everybody who died: by the last will, at once', async () => {
    const child = fork(join(__dirname, 'presence-process.fixture.ts'), {
      execArgv: ['--require', join(__dirname, '../../../testing/register-sources.cjs')],
    });
    try {
      child.send({ options: { ...broker.directOptions, presenceMs: 60_000 }, subscription: group });
      expect(await once(child, 'message')).toEqual(['subscribed', undefined]);
      const { kinds } = await watched();
      await until('seen', () => kinds().includes('joined'));
      child.kill('SIGKILL');
      await until('died', () => kinds().includes('died'));
      expect(kinds()).toEqual(['joined', 'died']);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

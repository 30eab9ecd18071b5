import { accept, release, retry, type Settlement, systemClock, type TidingsLogger, silentLogger } from '@tidings/core';
import { Gate, recordingReceive, testMessage, until } from '@tidings/testing';
import { AcceptFirstReceiver } from './accept-first.receiver';

const subscription = { topic: 't', group: 'g', ordered: false, broadcast: false, concurrency: 1, from: 'now' } as const;
const { signal } = new AbortController();

describe('AcceptFirstReceiver', () => {
  const errors: object[] = [];
  const logger: TidingsLogger = { ...silentLogger, error: (fields) => void errors.push(fields) };
  const deliver = (receiver: AcceptFirstReceiver, id: string, key: string | null = null): Promise<Settlement> =>
    receiver.receive({ message: testMessage({ id, key }), attempt: 1, redelivered: false }, signal);

  beforeEach(() => errors.splice(0));

  it('accepts before the handler is done, and no more than run', async () => {
    const gate = new Gate();
    const handler = recordingReceive(() => gate.opened.then(() => accept));
    const receiver = new AcceptFirstReceiver(subscription, handler.receive, systemClock, logger);
    await expect(deliver(receiver, 'a')).resolves.toEqual(accept);
    let second: Settlement | undefined;
    const settled = deliver(receiver, 'b').then((settlement) => (second = settlement));
    await until('the first runs', () => handler.running === 1);
    expect([handler.ids, second]).toEqual([['a'], undefined]);
    gate.open();
    await settled;
    await until('the second ran too', () => handler.ids.length === 2);
    expect(handler.mostAtOnce).toBe(1);
    expect(errors).toEqual([]);
  });

  it('never runs a handler twice, and tells what is lost by that', async () => {
    const handler = recordingReceive(() => retry(0, { error: new Error('away') }));
    const receiver = new AcceptFirstReceiver({ ...subscription, ordered: true }, handler.receive, systemClock, logger);
    await deliver(receiver, 'a', 'k');
    await until('it is told', () => errors.length === 1);
    expect(errors).toEqual([{ message: 'a', type: 'gift.sent', reason: 'away' }]);
    expect(handler.ids).toEqual(['a']);
  });

  it('waits for its handlers when it stops, and gives back what waits', async () => {
    const gate = new Gate();
    const handler = recordingReceive(() => gate.opened.then(() => accept));
    const receiver = new AcceptFirstReceiver(subscription, handler.receive, systemClock, logger);
    await deliver(receiver, 'a');
    const waiting = deliver(receiver, 'b');
    let stopped = false;
    const stop = receiver.stop(10_000).then(() => (stopped = true));
    await expect(waiting).resolves.toEqual(release);
    expect([stopped, handler.running]).toEqual([false, 1]);
    gate.open();
    await stop;
    expect([handler.ids, errors]).toEqual([['a'], []]);
  });

  it('cuts a handler off after the drain time, and tells', async () => {
    const handler = recordingReceive(() => new Promise<never>(() => undefined));
    const receiver = new AcceptFirstReceiver(subscription, handler.receive, systemClock, logger);
    await deliver(receiver, 'a');
    await receiver.stop(1);
    expect(errors).toEqual([{ message: 'a', type: 'gift.sent', reason: 'this process stopped' }]);
  });
});

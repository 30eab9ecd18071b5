import { ManualClock, testMessage } from '@tidings/testing';
import { TimeoutError } from '../errors';
import { silentLogger } from '../logger';
import { accept, type Settlement } from '../transport/settlement';
import type { HandlerDefinition } from './handler';
import { MessageContext } from './message-context';
import { timeoutMiddleware } from './timeout.middleware';

const setUp = (timeoutMs?: number) => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const handler = { name: 'RankGift.rank', ...(timeoutMs && { timeoutMs }) } as HandlerDefinition;
  const context = new MessageContext({ message: testMessage(), attempt: 1, redelivered: false }, handler, stop.signal);
  const run = (next: () => Promise<Settlement>) => timeoutMiddleware(clock, silentLogger)(context, next);
  return { clock, stop, context, run };
};

describe('the time-out middleware', () => {
  it('passes on what is done in time, and leaves no timer', async () => {
    const { clock, context, run } = setUp(50);
    await expect(run(async () => accept)).resolves.toEqual(accept);
    clock.advance(1_000);
    expect(context.signal.aborted).toBe(false);
    await expect(run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('fails the attempt of a handler that is late, and aborts its signal for good', async () => {
    const { clock, context, stop, run } = setUp(50);
    const late = run(() => new Promise(() => undefined));
    const { signal } = context;
    clock.advance(49);
    expect(signal.aborted).toBe(false);
    clock.advance(1);
    await expect(late).rejects.toEqual(new TimeoutError('RankGift.rank', 50));
    expect([signal.aborted, context.signal.aborted, stop.signal.aborted]).toEqual([true, true, false]);
    expect(signal.reason).toBeInstanceOf(TimeoutError);
  });

  it('hears no more of a handler that is late: neither its answer nor its failure', async () => {
    const { clock, run } = setUp(50);
    let fail!: (error: Error) => void;
    const late = run(() => new Promise((_resolve, reject) => (fail = reject)));
    clock.advance(50);
    await expect(late).rejects.toBeInstanceOf(TimeoutError);
    fail(new Error('too late')); // unheard, it would end this process
    await new Promise(setImmediate);
  });

  it('passes the stop on to the handler', async () => {
    const { stop, context, run } = setUp(50);
    const handled = run(async () => {
      stop.abort();
      expect(context.signal.aborted).toBe(true);
      return accept;
    });
    await expect(handled).resolves.toEqual(accept);
  });

  it('lets a handler without a limit take as long as it likes', async () => {
    const { clock, stop, context, run } = setUp();
    let end!: (settlement: Settlement) => void;
    const handled = run(() => new Promise((resolve) => (end = resolve)));
    clock.advance(1e9);
    end(accept);
    await expect(handled).resolves.toEqual(accept);
    expect(context.signal).toBe(stop.signal);
  });
});

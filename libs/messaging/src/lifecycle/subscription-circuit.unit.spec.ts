import { Injectable } from '@nestjs/common';
import { accept, fixed, type HandlerDefinition, MessageContext, NonRetriableError, reject, retry, type Settlement, silentLogger } from '@tidings/core'; // prettier-ignore
import { ManualClock, testMessage, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { MessagePublisher } from '../publishing/message-publisher';
import { boot, closeAll, type Gift, GiftSent } from '../test-application.fixture';
import { type CircuitOptions, SubscriptionCircuit } from './subscription-circuit';

const away = new Error('database away');
const handler = { name: 'RankGift.rank', retry: fixed() } as unknown as HandlerDefinition;
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

describe('a circuit', () => {
  const setUp = (options: CircuitOptions = {}) => {
    const calls: string[] = [];
    const clock = new ManualClock();
    const consumer = {
      pause: () => void calls.push('pause'),
      resume: () => void calls.push('resume'),
      admitOne: () => void calls.push('probe'),
    };
    const circuit = new SubscriptionCircuit({ openMs: 500, ...options }, consumer, clock, silentLogger, 'g on t');
    const run = (next: () => Promise<Settlement>) => {
      const delivery = { message: testMessage(), attempt: 1, redelivered: false };
      return circuit.middleware(new MessageContext(delivery, handler, new AbortController().signal), next);
    };
    const answer = (settlement: Settlement) => run(async () => settlement);
    return { calls, clock, circuit, run, answer };
  };
  const failing = retry(10, { error: away });
  const uncounted = { kind: 'retry', afterMs: 500, counted: false };

  it('opens after failures in a row, which count, and pauses', async () => {
    const { calls, answer, circuit } = setUp({ failures: 3 });
    for (const settlement of [failing, failing, accept, failing, failing])
      await expect(answer(settlement)).resolves.toEqual(settlement);
    expect([calls, circuit.open]).toEqual([[], false]);
    await expect(answer(failing)).resolves.toEqual(failing);
    expect([calls, circuit.open]).toEqual([['pause'], true]);
  });

  it('opens by the share of failures', async () => {
    const { circuit, answer } = setUp({ ratio: 0.5, of: 4 });
    for (const settlement of [accept, failing, accept, failing, failing]) await answer(settlement);
    expect(circuit.open).toBe(true);
  });

  it('is not opened by what is a message’s own fault, nor by what does not count', async () => {
    const { circuit, answer } = setUp({ failures: 1 });
    const no = new NonRetriableError('no');
    for (const settlement of [
      reject('no', no),
      reject('conflict'),
      retry(5, { counted: false, error: away }),
      retry(5),
    ])
      await expect(answer(settlement)).resolves.toEqual(settlement);
    expect(circuit.open).toBe(false);
  });

  it('does not count what fails while it is open, and buries none of it', async () => {
    const { run, answer } = setUp({ failures: 1 });
    let fail!: (settlement: Settlement) => void;
    const inHand = run(() => new Promise((resolve) => (fail = resolve)));
    await answer(failing);
    fail(reject('failed 5 times', away));
    await expect(inHand).resolves.toMatchObject(uncounted);
  });

  it('probes with one after a while, uncounted, again and again, and resumes when one succeeds', async () => {
    const { calls, clock, circuit, answer } = setUp({ failures: 1 });
    await answer(failing);
    clock.advance(499);
    await settled();
    expect(calls).toEqual(['pause']);
    clock.advance(1);
    await settled();
    expect(calls).toEqual(['pause', 'probe']);
    await expect(answer(reject('failed 5 times', away))).resolves.toMatchObject(uncounted);
    expect(calls).toEqual(['pause', 'probe', 'pause']);
    clock.advance(500);
    await settled();
    await expect(answer(accept)).resolves.toEqual(accept);
    expect(calls).toEqual(['pause', 'probe', 'pause', 'probe', 'resume']);
    expect(circuit.open).toBe(false);
  });

  it('has one probe: what slips in before or beside it is not handled, nor counted', async () => {
    const { clock, run, answer } = setUp({ failures: 1 });
    await answer(failing);
    const unreached = (): Promise<Settlement> => Promise.reject(new Error('must not be handled'));
    await expect(run(unreached)).resolves.toMatchObject(uncounted);
    clock.advance(500);
    await settled();
    let end!: (settlement: Settlement) => void;
    const probe = run(() => new Promise((resolve) => (end = resolve)));
    clock.advance(500);
    await settled();
    await expect(run(unreached)).resolves.toMatchObject(uncounted);
    end(failing);
    await expect(probe).resolves.toMatchObject(uncounted);
    await expect(run(unreached)).resolves.toMatchObject(uncounted);
  });

  it('passes on what is thrown through it', async () => {
    const { run, circuit } = setUp({ failures: 1 });
    await expect(run(() => Promise.reject(away))).rejects.toBe(away);
    expect(circuit.open).toBe(false);
  });
});

describe('a subscription with a circuit', () => {
  afterEach(closeAll);

  it('burns no attempts in an outage: everything is handled after it, nothing is given up', async () => {
    let [down, runs, attempts] = [true, 0, [] as number[]];
    @Injectable()
    class RankGift {
      @OnMessage(GiftSent, {
        group: 'ranking',
        level: 'atLeastOnce',
        concurrency: 2,
        retry: fixed({ attempts: 4, immediate: 0, delayMs: 0 }),
        circuit: { failures: 2, openMs: 20 },
      })
      rank(_: Gift, { attempt }: MessageContext): void {
        runs += 1;
        if (down) throw away;
        attempts = [...attempts, attempt];
      }
    }
    const app = await boot({}, { providers: [RankGift] });
    const gifts = Array.from({ length: 20 }, (_, n) => ({ contract: GiftSent, payload: { room: `r${n}`, coins: 1 } }));
    await app.get(MessagePublisher).publishAll(gifts);
    await until('many probes', () => runs >= 30, { withinMs: 30_000 });
    down = false;
    await until('all of them', () => attempts.length === 20, { withinMs: 30_000 });
    expect(Math.max(...attempts)).toBeLessThanOrEqual(3);
  });
});

import type { Closeable, Subscription, Transport } from '@tidings/core';
import { exponential, KeyLimit, silentLogger, systemClock } from '@tidings/core';
import type { SubscriptionControl } from '@tidings/outbox';
import { GiftSent } from '../test-application.fixture';
import { CircuitDirectory } from './circuit-directory';
import { FollowedControls } from './followed-controls';
import { RunningConsumer } from './running-consumer';

const subscription = { topic: 'gift.sent', group: 'g', ordered: false, broadcast: false, concurrency: 5, from: 'now' } as const; // prettier-ignore
const paused = { since: '2026-01-01T00:00:00.000Z', by: 'ann', reason: 'maintenance' };
const control = (over: Partial<SubscriptionControl>): SubscriptionControl => ({
  topic: 'gift.sent',
  group: 'g',
  paused: null,
  concurrency: null,
  keyConcurrency: null,
  ...over,
});

describe('a running consumer', () => {
  let decide: (...controls: SubscriptionControl[]) => void;
  let subscribed: Subscription | undefined;
  let calls: string[];

  async function started(...inForce: SubscriptionControl[]) {
    calls = [];
    const follow = (listener: (controls: readonly SubscriptionControl[]) => void): Promise<Closeable> => {
      decide = (...controls) => listener(controls);
      decide(...inForce);
      return Promise.resolve({ close: () => Promise.resolve() });
    };
    const controls = new FollowedControls({ follow }, silentLogger);
    const handler = {
      name: 'spec',
      contract: GiftSent,
      subscription,
      transport: 'main',
      store: '',
      level: 'atLeastOnce' as const,
      retry: exponential(),
      invoke: () => Promise.resolve(),
    };
    const parts = { chain: [], shared: {} as never, clock: systemClock, logger: silentLogger };
    const consumer = new RunningConsumer(
      { transport: 'main', subscription, handlers: [handler] },
      { ...parts, circuits: new CircuitDirectory(), controls, pace: () => undefined },
    );
    await controls.start(() => consumer.obey());
    await consumer.start({
      subscribe: (given: Subscription) => {
        subscribed = given;
        return Promise.resolve({
          pause: () => calls.push('pause'),
          resume: () => calls.push('resume'),
          setConcurrency: (concurrency: number) => calls.push(`concurrency ${concurrency}`),
        });
      },
    } as unknown as Transport);
    return consumer;
  }

  it('that is paused begins paused: what waits at the broker must not slip through', async () => {
    await started(control({ paused }));
    expect(subscribed).toMatchObject({ paused: true });
  });

  it('that is not says nothing of it', async () => {
    await started(control({ concurrency: { value: 2, since: paused.since, by: 'ann' } }));
    expect(subscribed).toEqual({ ...subscription, keyLimit: expect.any(KeyLimit) as KeyLimit });
    expect(calls).toEqual(['concurrency 2']);
  });

  it('does what is decided of it, once, and takes no notice of others', async () => {
    const consumer = await started();
    decide(control({ group: 'other', paused }));
    expect([calls, consumer.paused]).toEqual([[], false]);
    decide(control({ paused, concurrency: { value: 9, since: paused.since, by: 'ann' } }));
    expect([calls, consumer.paused]).toEqual([['pause', 'concurrency 9'], true]);
    decide();
    expect([calls.slice(2), consumer.paused]).toEqual([['resume', 'concurrency 5'], false]);
    decide();
    expect(calls).toHaveLength(4);
  });
});

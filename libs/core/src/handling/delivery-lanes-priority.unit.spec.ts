import { Gate, ManualClock, testMessage, until } from '@tidings/testing';
import { OptionsError } from '../errors';
import type { Delivery, Message } from '../message/message';
import { systemClock } from '../scheduling/clock';
import { accept, release, type Settlement } from '../transport/settlement';
import { DeliveryLanes } from './delivery-lanes';
import { TokenBucket } from './pace';

const delivery = (id: string, { key = null as string | null, priority = 0 } = {}): Delivery => ({
  message: testMessage({ id, key, ...(priority && { headers: { 'tidings-priority': String(priority) } }) }),
  attempt: 1,
  redelivered: false,
});

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};

/** One place, taken until `first` opens: what comes meanwhile waits for it. */
function oneHeldPlace(more: { readonly ordered?: boolean; readonly priority?: (message: Message) => Promise<number> }) {
  const first = new Gate();
  const order: string[] = [];
  const receive = async ({ message }: Delivery): Promise<Settlement> => {
    order.push(message.id);
    if (message.id === 'first') await first.opened;
    return accept;
  };
  const lanes = new DeliveryLanes({ ordered: false, concurrency: 1, ...more }, receive, systemClock);
  const all = [lanes.run(delivery('first'))];
  const add = (...deliveries: Delivery[]) => all.push(...deliveries.map((one) => lanes.run(one)));
  const result = async (): Promise<string[]> => {
    await settled();
    first.open();
    await Promise.all(all);
    return order.slice(1);
  };
  return { add, result };
}

describe('deliveries that wait for a place', () => {
  it('begin by the priority they were published with, equal ones in the order they came', async () => {
    const { add, result } = oneHeldPlace({});
    add(delivery('a'), delivery('b', { priority: 1 }), delivery('c', { priority: 9 }), delivery('d', { priority: 1 }), delivery('e')); // prettier-ignore
    expect(await result()).toEqual(['c', 'b', 'd', 'a', 'e']);
  });

  it('never overtake within an ordered key, and a key counts by its head', async () => {
    const priority = ({ id }: Message) => Promise.resolve(id.endsWith('!') ? 5 : 0);
    const { add, result } = oneHeldPlace({ ordered: true, priority });
    const inRoom = (room: string, ...ids: string[]) => ids.map((id) => delivery(id, { key: room }));
    add(...inRoom('r1', 'a', 'b!', 'c!'), ...inRoom('r2', 'd!', 'e'));
    expect(await result()).toEqual(['d!', 'a', 'b!', 'c!', 'e']);
  });

  it('are not starved by a stream of urgent ones', async () => {
    const { add, result } = oneHeldPlace({});
    add(delivery('patient'), ...Array.from({ length: 20 }, (_, n) => delivery(`u${n}`, { priority: 9 })));
    expect((await result()).indexOf('patient')).toBeLessThan(8);
  });

  it('have no priority when it cannot be told', async () => {
    const { add, result } = oneHeldPlace({ priority: () => Promise.reject(new Error('not JSON')) });
    add(delivery('a'), delivery('b'));
    expect(await result()).toEqual(['a', 'b']);
  });
});

describe('the pace of deliveries', () => {
  const paced = (clock: ManualClock, limit: { perSecond: number; burst?: number }) => {
    const began: string[] = [];
    const receive = ({ message }: Delivery): Promise<Settlement> => {
      began.push(message.id);
      return Promise.resolve(accept);
    };
    const pace = new TokenBucket(limit, clock);
    return { began, lanes: new DeliveryLanes({ ordered: false, concurrency: 100, pace }, receive, clock) };
  };

  it('lets a burst begin, and then so many a second', async () => {
    const clock = new ManualClock();
    const { began, lanes } = paced(clock, { perSecond: 10, burst: 3 });
    const all = Array.from({ length: 6 }, (_, n) => lanes.run(delivery(String(n))));
    await settled();
    expect(began).toHaveLength(3);
    for (const count of [4, 5, 6]) {
      clock.advance(99);
      await settled();
      expect(began).toHaveLength(count - 1);
      clock.advance(1);
      await settled();
      expect(began).toHaveLength(count);
    }
    await expect(Promise.all(all)).resolves.toEqual(Array(6).fill(accept));
  });

  it('holds no stop: what waits for it is released, uncounted', async () => {
    const clock = new ManualClock();
    const { began, lanes } = paced(clock, { perSecond: 0.001 });
    const all = ['1', '2'].map((id) => lanes.run(delivery(id)));
    await settled();
    const stopped = lanes.stop(1_000);
    await expect(Promise.all(all)).resolves.toEqual([accept, release]);
    await stopped;
    expect([began, clock.sleeping]).toEqual([['1'], 0]);
  });

  it('spends nothing while paused', async () => {
    const clock = new ManualClock();
    const { began, lanes } = paced(clock, { perSecond: 1, burst: 1 });
    lanes.pause();
    const one = lanes.run(delivery('1'));
    await settled();
    clock.advance(10_000);
    lanes.resume();
    await one;
    const two = lanes.run(delivery('2'));
    await settled();
    expect(began).toEqual(['1']); // burst 1: nothing was saved up
    clock.advance(1_000);
    await two;
    await until('both', () => began.length === 2);
  });

  it.each([{ perSecond: 0 }, { perSecond: Infinity }, { perSecond: 1, burst: 0.5 }])('refuses %j', (limit) => {
    expect(() => new TokenBucket(limit, new ManualClock())).toThrow(OptionsError);
  });
});

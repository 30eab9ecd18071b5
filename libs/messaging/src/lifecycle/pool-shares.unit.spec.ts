import { type PooledStore, silentLogger, type Store } from '@tidings/core';
import type { PlannedSubscription } from '../handling/subscription-plan';
import { divided } from './pool-shares';

const planned = (concurrency: number, over: object = {}, more: object = {}): PlannedSubscription =>
  ({
    transport: 'main',
    subscription: { topic: 't', group: 'g', concurrency, ...more },
    handlers: [{ level: 'effectivelyOnce', store: 'default', ...over }],
  }) as unknown as PlannedSubscription;

describe('the shares of a pool', () => {
  const divide = (poolSize: number | undefined, ...subscriptions: PlannedSubscription[]) => {
    const told: object[] = [];
    const store = (poolSize === undefined ? {} : { poolSize }) as Store & Partial<PooledStore>;
    const all = divided(subscriptions, 'default', store, { ...silentLogger, warn: (fields) => void told.push(fields) });
    return { told, places: all.map(({ subscription }) => subscription.concurrency), all };
  };

  it('are no matter while it has a connection for each place', () => {
    expect(divide(10, planned(5), planned(5))).toMatchObject({ told: [], places: [5, 5] });
  });

  it('are in proportion when it has fewer, one at least, and are warned of', () => {
    const { told, places, all } = divide(10, planned(5), planned(15));
    expect(places).toEqual([2, 7]);
    expect(all.map(({ share }) => share)).toEqual([2, 7]);
    expect(told).toEqual([{ store: 'default', poolSize: 10, needed: 20 }]);
    expect(divide(3, planned(1), planned(100)).places).toEqual([1, 2]);
  });

  it('count a batch as one connection, and its deliveries as one place', () => {
    const batch = planned(400, {}, { batching: { places: 4, byType: new Map() } });
    const { all } = divide(4, batch, planned(4));
    expect(all[0]!.subscription).toMatchObject({ concurrency: 200, batching: { places: 2 } });
    expect(all[1]!.subscription.concurrency).toBe(2);
  });

  it('are for those that hold one of this store only', () => {
    const others = [planned(9, { store: 'other' }), planned(9, { level: 'atMostOnce' })];
    expect(divide(5, planned(5), ...others)).toMatchObject({ told: [], places: [5, 9, 9] });
    const sharded = planned(9, { store: 'other', shards: { among: ['other', 'default'] } });
    expect(divide(9, planned(9), sharded).places).toEqual([4, 4]);
  });

  it('are known to the handlers: what is filed by their subscription, as a circuit, is found', () => {
    const [shared] = divide(2, planned(5)).all;
    expect(shared!.handlers[0]!.subscription).toBe(shared!.subscription);
  });

  it('are nothing of a store that does not tell', () => {
    expect(divide(undefined, planned(1_000))).toMatchObject({ told: [], places: [1_000] });
  });
});

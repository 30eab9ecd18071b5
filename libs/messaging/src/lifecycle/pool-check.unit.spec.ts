import { type PooledStore, silentLogger, type Store } from '@tidings/core';
import type { PlannedSubscription } from '../handling/subscription-plan';
import { checkPool } from './pool-check';

const planned = (concurrency: number, over: object = {}): PlannedSubscription =>
  ({
    transport: 'main',
    subscription: { concurrency },
    handlers: [{ level: 'effectivelyOnce', store: 'default', ...over }],
  }) as unknown as PlannedSubscription;

describe('the check of a pool', () => {
  const warnings = (poolSize: number | undefined, ...subscriptions: PlannedSubscription[]): object[] => {
    const told: object[] = [];
    const store = (poolSize === undefined ? {} : { poolSize }) as Store & Partial<PooledStore>;
    checkPool('default', store, subscriptions, { ...silentLogger, warn: (fields) => void told.push(fields) });
    return told;
  };

  it('warns when handlers may hold more connections than there are', () => {
    expect(warnings(10, planned(5), planned(5))).toEqual([]);
    expect(warnings(10, planned(5), planned(6))).toEqual([{ store: 'default', poolSize: 10, needed: 11 }]);
  });

  it('counts only those that hold one of this store', () => {
    expect(warnings(5, planned(5), planned(9, { store: 'other' }), planned(9, { level: 'atMostOnce' }))).toEqual([]);
  });

  it('says nothing of a store that does not tell', () => {
    expect(warnings(undefined, planned(1_000))).toEqual([]);
  });
});

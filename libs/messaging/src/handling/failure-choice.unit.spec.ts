import type { HandlerDefinition, OnFailure } from '@tidings/core';
import { onFailureOf, refuseTwoParkings, refuseTwoTransports } from './failure-choice';
import type { PlannedSubscription } from './subscription-plan';

type Place = Parameters<typeof onFailureOf>[2];

const place = (more: Partial<Place['subscription']> & Partial<Omit<Place, 'subscription'>> = {}): Place => {
  const { level = 'effectivelyOnce', store = 'default', ...subscription } = more;
  const shared = {
    topic: 't',
    group: 'g',
    ordered: true,
    broadcast: false,
    concurrency: 1,
    from: 'now',
    ...subscription,
  };
  return { level, store, subscription: shared as Place['subscription'] };
};

describe('What an ordered handler does with a failed key', () => {
  it('parks it where there is a store, unless told otherwise', () => {
    expect(onFailureOf('A.a', undefined, place())).toBe('park');
    expect(onFailureOf('A.a', 'skip', place())).toBe('skip');
    expect(onFailureOf('A.a', 'block', place())).toBe('block');
  });

  it('must be chosen where there is no store', () => {
    const bare = place({ store: '', level: 'atLeastOnce' });
    expect(() => onFailureOf('A.a', undefined, bare)).toThrow(
      /A\.a.*expected onFailure: 'block' or 'skip'.*found none/,
    );
    expect(() => onFailureOf('A.a', 'park', bare)).toThrow(/found park/);
    expect(onFailureOf('A.a', 'block', bare)).toBe('block');
    expect(onFailureOf('A.a', 'skip', bare)).toBe('skip');
  });

  it('is none of an unordered, a broadcast or an atMostOnce handler', () => {
    for (const other of [place({ ordered: false }), place({ broadcast: true }), place({ level: 'atMostOnce' })]) {
      expect(onFailureOf('A.a', undefined, other)).toBeUndefined();
      expect(() => onFailureOf('A.a', 'skip', other)).toThrow(/leave onFailure out/);
    }
  });

  it('is one for all handlers of a subscription, in one store', () => {
    const handler = (more: Partial<HandlerDefinition>) =>
      ({ ...place(), name: 'A.a', onFailure: 'park', ...more }) as HandlerDefinition;
    expect(() => refuseTwoParkings([handler({}), handler({ name: 'A.b' })])).not.toThrow();
    expect(() => refuseTwoParkings([handler({}), handler({ name: 'A.b', store: 'other' })])).toThrow(
      /park in store "other" at A\.b/,
    );
    expect(() => refuseTwoParkings([handler({}), handler({ name: 'A.b', onFailure: 'skip' })])).toThrow(
      /skip in store "default" at A\.b/,
    );
  });

  it('parks the keys of a group and topic on one transport', () => {
    const on = (transport: string, onFailure: OnFailure, group = 'badges'): PlannedSubscription => {
      const { subscription } = place();
      const handler = { ...place(), onFailure } as PlannedSubscription['handlers'][number];
      return { transport, subscription: { ...subscription, group, topic: 'gift.sent' }, handlers: [handler] };
    };
    expect(() => refuseTwoTransports([on('log', 'park'), on('main', 'park')])).toThrow(
      /group badges on gift\.sent: expected one transport.*found "log" and "main"/,
    );
    expect(() =>
      refuseTwoTransports([on('log', 'park'), on('main', 'block'), on('main', 'park', 'ranking')]),
    ).not.toThrow();
  });
});

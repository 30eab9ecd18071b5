import { accept, fixed, exponential, type MessageContract, never } from '@tidings/core';
import type { OnMessageOptions } from '../decorators/on-message.decorator';
import { ContractRouter } from '../publishing/contract-router';
import { route, type Route } from '../publishing/route';
import { GiftSent, RoomClosed } from '../test-application.fixture';
import type { FoundHandler } from './handler.explorer';
import { sharded } from '../sharded';
import { planSubscriptions } from './subscription-plan';

interface Given {
  readonly transports?: string[];
  readonly stores?: string[];
  readonly routes?: Route[];
}

const handler = (
  name: string,
  options: Partial<OnMessageOptions> = {},
  contract: MessageContract<unknown, never> = GiftSent,
): FoundHandler => ({
  name,
  contract,
  options: { group: 'ranking', ...options },
  module: 'AppModule',
  invoke: () => Promise.resolve(accept),
});

const plan = (found: FoundHandler[], { transports = ['main'], stores = ['default'], routes = [] }: Given = {}) =>
  planSubscriptions(found, { transports, stores, router: new ContractRouter(routes, transports) });

describe('The plan of subscriptions', () => {
  it('takes the only transport and the default store, effectively once', () => {
    const [planned, ...others] = plan([handler('A.a')], { stores: ['archive', 'default'] });
    expect(others).toEqual([]);
    expect(planned).toMatchObject({
      transport: 'main',
      subscription: {
        topic: 'gift.sent',
        group: 'ranking',
        ordered: false,
        broadcast: false,
        concurrency: 5,
        from: 'now',
      },
      handlers: [{ name: 'A.a', store: 'default', level: 'effectivelyOnce' }],
    });
  });

  it('makes one subscription of the handlers of a group on a topic, whatever their types', () => {
    const late = { ...GiftSent, type: 'gift.late', keyOf: () => null };
    const planned = plan([
      handler('A.a', { ordered: true }),
      handler('A.b', { concurrency: 9 }, late),
      handler('A.c', { group: 'badges' }),
    ]);
    expect(planned).toHaveLength(2);
    expect(planned[0]).toMatchObject({ subscription: { ordered: true, concurrency: 9 }, handlers: [{ name: 'A.a' }, { name: 'A.b' }] }); // prettier-ignore
  });

  it('follows routes, and what a handler names before them', () => {
    const given = {
      transports: ['main', 'logs'],
      routes: [route('room.*').to('logs'), route('gift.*').to('main', 'logs')],
    };
    const planned = plan([handler('A.a', { transport: 'logs' }), handler('A.b', {}, RoomClosed)], given);
    expect(planned.map(({ transport }) => transport)).toEqual(['logs', 'logs']);
  });

  it('gives a broadcast at least once, and a retry to all but atMostOnce', () => {
    const found = [handler('A.a', { broadcast: true }), handler('A.b', { group: 'x', level: 'atMostOnce' })];
    const [broadcast, once] = plan(found, { stores: [] }).flatMap(({ handlers }) => handlers);
    expect(broadcast?.level).toBe('atLeastOnce');
    const error = new Error('away');
    expect(broadcast?.retry.settle(error, 1)).toEqual(exponential().settle(error, 1));
    expect(once?.retry.settle(error, 1)).toEqual(never().settle(error, 1));
  });

  it.each<[string, FoundHandler[], Given, string]>([
    [
      'the same type twice in a group',
      [handler('A.a'), { ...handler('B.b'), module: 'OtherModule' }],
      {},
      'group ranking on gift.sent: expected one handler for gift.sent, found A.a (in AppModule) and B.b (in OtherModule); give each a group of its own, or provide the class in one module only',
    ],
    [
      'an unknown transport',
      [handler('A.a', { transport: 'mian' })],
      { transports: ['main', 'logs'] },
      'A.a: expected a transport of messaging.transports (main, logs), found "mian"',
    ],
    [
      'several transports and no route',
      [handler('A.a')],
      { transports: ['main', 'logs'] },
      "A.a: expected one transport to receive gift.sent from; there are several (main, logs) and no route matches. Add { transport: 'main' } to @OnMessage, or route('gift.sent').to('main') to messaging.routes",
    ],
    [
      'a route to several transports',
      [handler('A.a')],
      { transports: ['main', 'logs'], routes: [route('gift.*').to('logs', 'main')] },
      "A.a: expected one transport to receive gift.sent from; its route leads to logs, main. Add { transport: 'logs' } to @OnMessage",
    ],
    [
      'an unknown store',
      [handler('A.a', { store: 'archiv' })],
      { stores: ['default', 'archive'] },
      'A.a: expected a store of messaging.stores (default, archive), found "archiv"',
    ],
    [
      'an unknown store among those to choose from',
      [handler('A.a', { store: sharded(['east', 'wets'], () => 'east') })],
      { stores: ['east', 'west'] },
      'A.a: expected a store of messaging.stores (east, west), found "wets"',
    ],
    [
      'a store function without stores',
      [handler('A.a', { store: () => 'east', level: 'atLeastOnce' })],
      { stores: [] },
      'A.a: expected stores to choose from, found none',
    ],
    [
      'several stores and no default',
      [handler('A.a')],
      { stores: ['one', 'two'] },
      'A.a: expected one store, found several (one, two) and none called "default"; name the one that is meant',
    ],
    [
      'effectively once without a store',
      [handler('A.a')],
      { stores: [] },
      "A.a: expected a store for level effectivelyOnce, found none; add one to messaging.stores or an inbox to messaging.storelessInbox, or choose level: 'atLeastOnce'",
    ],
    [
      'effectively once for a broadcast',
      [handler('A.a', { broadcast: true, level: 'effectivelyOnce' })],
      {},
      'A.a: expected level atLeastOnce or atMostOnce with broadcast, found effectivelyOnce; every process handles a broadcast message, so that it cannot take effect once',
    ],
    [
      'a retry for atMostOnce',
      [handler('A.a', { level: 'atMostOnce', retry: never() })],
      {},
      'A.a: expected no retry with level atMostOnce, found one; the message is accepted before the handler runs, so that nothing is left to retry',
    ],
    [
      'two values for one subscription',
      [handler('A.a', { ordered: true }), handler('A.b', { ordered: false }, { ...GiftSent, type: 'gift.late' })],
      {},
      'group ranking on gift.sent: expected one value of ordered for its subscription, found true at A.a and false at A.b; say it once, or use two groups',
    ],
    [
      'no group',
      [handler('A.a', { group: '' })],
      {},
      '@OnMessage(gift.sent) of A.a.group: expected the name of a group',
    ],
    [
      'no policy as retry',
      [handler('A.a', { retry: 5 as never })],
      {},
      '@OnMessage(gift.sent) of A.a.retry: expected a retry policy: exponential(), linear(), fixed() or never()',
    ],
    [
      'a limit in time that no clock measures',
      [handler('A.a', { level: 'atLeastOnce', retry: fixed({ maxElapsedMs: 5_000 }) })],
      { stores: [] },
      'A.a: expected a store for retry.maxElapsedMs, found none',
    ],
    [
      'a budget that no store keeps',
      [handler('A.a', { level: 'atLeastOnce', retryBudget: { perSecond: 1 } })],
      { stores: [] },
      'A.a: expected a store and retries for retryBudget, found no store; its tokens are shared there',
    ],
    [
      'a budget of nothing',
      [handler('A.a', { retryBudget: { perSecond: 0 } })],
      {},
      '@OnMessage(gift.sent) of A.a.retryBudget.perSecond: Too small: expected number to be >0',
    ],
    [
      'a time-out of nothing',
      [handler('A.a', { timeoutMs: 0 })],
      {},
      '@OnMessage(gift.sent) of A.a.timeoutMs: Too small: expected number to be >=1',
    ],
    [
      'an option that does not exist',
      [handler('A.a', { concurency: 3 } as never)],
      {},
      '@OnMessage(gift.sent) of A.a: Unrecognized key: "concurency"',
    ],
  ])('refuses %s', (_what, found, given, message) => {
    expect(() => plan(found, given)).toThrow(message);
  });
});

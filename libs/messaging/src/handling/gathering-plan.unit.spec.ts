import { accept } from '@tidings/core';
import type { OnMessageOptions } from '../decorators/on-message.decorator';
import { ContractRouter } from '../publishing/contract-router';
import { GiftSent } from '../test-application.fixture';
import type { FoundHandler } from './handler.explorer';
import { planSubscriptions } from './subscription-plan';

type Options = Partial<FoundHandler['options']> | Partial<OnMessageOptions>;

const handler = (options: Options, contract: FoundHandler['contract'] = GiftSent): FoundHandler => ({
  ...{ name: 'A.a', contract, module: 'AppModule', invoke: () => Promise.resolve(accept) },
  options: { group: 'ranking', ...options },
});
const late = { ...GiftSent, type: 'gift.late', keyOf: () => null };
const plan = (found: FoundHandler[], stores = ['default']) =>
  planSubscriptions(found, { transports: ['main'], stores, router: new ContractRouter([], ['main']) });

describe('The plan of handlers that gather messages', () => {
  it.each<[string, Options, number, number]>([
    ['a batch at a time unless told otherwise', { batch: { size: 200 } }, 200, 1],
    ['as many batches as it is told', { batch: { size: 200 }, concurrency: 3 }, 600, 3],
    ['transactions of coalesced ones alike', { coalesce: { size: 32, waitMs: 5 }, concurrency: 2 }, 64, 2],
  ])('takes enough deliveries for %s', (_, options, concurrency, places) => {
    const [planned] = plan([handler(options)]);
    expect(planned?.subscription).toMatchObject({ concurrency, batching: { places } });
  });

  it('leaves single messages beside a batch as many places as they had', () => {
    const [planned] = plan([handler({ batch: { size: 10 } }), { ...handler({}, late), name: 'A.b' }]);
    expect(planned?.subscription).toMatchObject({ concurrency: 50, batching: { places: 5 } });
    expect([...planned!.subscription.batching!.byType.keys()]).toEqual(['gift.sent']);
  });

  it.each<[string, Options, string]>([
    ['a batch of nothing', { batch: { size: 0 } }, '@OnMessages(gift.sent) of A.a.batch.size: Too small'],
    ['a batch that is too large', { batch: { size: 10_001 } }, '@OnMessages(gift.sent) of A.a.batch.size: Too big'],
    ['half a message', { batch: { size: 1.5 } }, '@OnMessages(gift.sent) of A.a.batch.size: Invalid input'],
    ['a batch of no size', { batch: {} as never }, '@OnMessages(gift.sent) of A.a.batch.size: Invalid input'],
    [
      'a wait into the past',
      { batch: { size: 2, waitMs: -1 } },
      '@OnMessages(gift.sent) of A.a.batch.waitMs: Too small',
    ],
    ['a wait of hours', { batch: { size: 2, waitMs: 60_001 } }, '@OnMessages(gift.sent) of A.a.batch.waitMs: Too big'],
    [
      'an option that does not exist',
      { batch: { size: 2, every: 5 } as never },
      '@OnMessages(gift.sent) of A.a.batch: Unrecognized key: "every"',
    ],
    [
      'more savepoints than PostgreSQL keeps at hand',
      { coalesce: { size: 65 } },
      '@OnMessage(gift.sent) of A.a.coalesce.size: Too big',
    ],
    [
      'coalescing what has no transaction',
      { coalesce: { size: 8 }, level: 'atMostOnce' },
      'A.a: expected a handler in a transaction to coalesce, found level atMostOnce; leave coalesce out',
    ],
  ])('refuses %s', (_, options, message) => {
    expect(() => plan([handler(options)])).toThrow(message);
  });

  it('refuses coalescing without a store', () => {
    const found = [handler({ coalesce: { size: 8 }, level: 'atLeastOnce' })];
    expect(() => plan(found, [])).toThrow(
      'A.a: expected a handler in a transaction to coalesce, found no store; leave coalesce out',
    );
  });
});

import { ContractRouter } from './contract-router';
import { route } from './route';

describe('A route', () => {
  it.each([
    ['gift.sent', ['gift.sent'], ['gift.sent.late', 'gift', 'giftXsent']],
    ['gift.*', ['gift.sent'], ['gift', 'gift.sent.late', 'gifts.sent', 'a.gift.sent']],
    ['*.sent', ['gift.sent'], ['sent', 'a.gift.sent']],
    ['gift.#', ['gift', 'gift.sent', 'gift.sent.late'], ['gifts.sent', 'room.gift']],
    ['#', ['gift', 'gift.sent'], []],
    ['*', ['gift', 'gift.sent'], []],
    ['a+b.c', ['a+b.c'], ['aab.c']],
  ])('%s', (pattern, matching, others) => {
    const matches = (type: string) => route(pattern).to('main').matches(type);
    expect(matching.filter(matches)).toEqual(matching);
    expect(others.filter(matches)).toEqual([]);
  });

  it.each(['', 'gift..sent', 'gift.#.late', 'gift.s*', 'gift sent'])('refuses %p', (pattern) => {
    expect(() => route(pattern).to('main')).toThrow(`route("${pattern}"): expected`);
  });
});

describe('The router', () => {
  const gift = { type: 'gift.sent', topic: 'gift.sent' };

  it('takes the first route that matches', () => {
    const router = new ContractRouter([route('gift.*').to('a', 'b'), route('#').to('c')], ['a', 'b', 'c']);
    expect(router.destinationsOf(gift)).toEqual([{ transport: 'a' }, { transport: 'b' }]);
    expect(router.destinationsOf({ type: 'room.closed', topic: 'x' })).toEqual([{ transport: 'c' }]);
  });

  it('needs no route where there is one transport', () => {
    expect(new ContractRouter([], ['only']).destinationsOf(gift)).toEqual([{ transport: 'only' }]);
  });

  it('refuses to guess where there are several', () => {
    expect(() => new ContractRouter([route('room.*').to('a')], ['a', 'b']).destinationsOf(gift)).toThrow(
      "contract gift.sent: expected a route, since there are several transports (a, b), found none that matches; add route('gift.sent').to('a') to messaging.routes",
    );
  });
});

import { Injectable } from '@nestjs/common';
import { systemClock } from '@tidings/core';
import { describeOn, Gate, server, until } from '@tidings/testing';
import { OnMessage, type OnMessageOptions } from '../decorators/on-message.decorator';
import { SpecGround } from '../handling/spec-ground.fixture';
import { closeAll, type Gift, GiftSent } from '../test-application.fixture';
import { ConsumerLifecycle } from './consumer-lifecycle';
import { Subscriptions } from './subscriptions';

const within = { withinMs: 60_000 };
const KINDS = ['postgres', ...(server('rabbitmq') ? (['rabbitmq'] as const) : [])] as const;
const RANKING = 'ranking@gift.sent';

let hold: Gate;
let begun: Gift[];
let begunAt: number[];
let running: Map<string, number>;
/** Of one key, at once. */
let most: number;

const handlerOf = (options: Partial<OnMessageOptions>) => {
  @Injectable()
  class RankGift {
    @OnMessage(GiftSent, { group: 'ranking', ...options })
    async rank(gift: Gift): Promise<void> {
      begun.push(gift);
      begunAt.push(systemClock.monotonic());
      running.set(gift.room, (running.get(gift.room) ?? 0) + 1);
      most = Math.max(most, running.get(gift.room)!);
      await hold.opened;
      running.set(gift.room, running.get(gift.room)! - 1);
    }
  }
  return RankGift;
};

describeOn('postgres', 'Flow control of a subscription', (url) => {
  let ground: SpecGround;
  const gifts = (count: number, room = 'r'): Gift[] => Array.from({ length: count }, (_, coins) => ({ room, coins }));

  beforeAll(async () => {
    ground = await SpecGround.at(url);
  });
  beforeEach(() => {
    [hold, begun, begunAt, running, most] = [new Gate(), [], [], new Map(), 0];
  });
  afterEach(async () => {
    hold.open();
    await closeAll();
  });
  afterAll(() => ground.close());

  async function one(kind: (typeof KINDS)[number], options: Partial<OnMessageOptions>) {
    const store = ground.store();
    const transport = ground.transport(kind, store, { 'gift.sent': 'ranking' });
    return ground.start(store, transport, [handlerOf(options)]);
  }

  describe.each(KINDS)('on %s', (kind) => {
    it('runs so many messages of one key at once, as decided while it runs, and other keys go on', async () => {
      const { app, send } = await one(kind, { concurrency: 4, keyConcurrency: 1 });
      await send([...gifts(8, 'hot'), ...gifts(1, 'cold'), ...gifts(1, 'cool')]);
      await until('the other keys', () => running.get('cold') === 1 && running.get('cool') === 1, within);
      await until('one of the hot key', () => running.get('hot') === 1, within);
      expect(begun).toHaveLength(3);
      const decided = app.get(Subscriptions);
      await decided.setKeyConcurrency(RANKING, 2, { by: 'ann' });
      await until('two of it', () => running.get('hot') === 2, within);
      expect(await decided.list()).toMatchObject([{ concurrency: null, keyConcurrency: { value: 2, by: 'ann' } }]);
      await decided.setKeyConcurrency(RANKING, null, { by: 'ann' });
      expect(await decided.list()).toEqual([]);
      hold.open();
      await until('all', () => begun.length === 10, within);
      expect(most).toBe(2);
    }, 90_000);

    it('begins the most urgent of what it has taken ahead', async () => {
      let ranked = 0;
      const priority = ({ coins }: Gift): number => {
        ranked += 1; // it is asked when the message is taken
        return coins >= 100 ? 1 : 0;
      };
      const { app, send } = await one(kind, { concurrency: 4, priority });
      await send([0, 1, 2, 3, 4, 5, 6, 100].map((coins) => ({ room: 'r', coins })));
      await until('four have the places, and four wait', () => begun.length === 4 && ranked === 8, within);
      app.get(ConsumerLifecycle).consumers[0]!.setConcurrency(1); // else four begin at once, and their transactions race for who is first
      hold.open();
      await until('all', () => begun.length === 8, within);
      expect(begun.map(({ coins }) => coins).slice(4)).toEqual([100, 4, 5, 6]);
    }, 90_000);

    it('begins no more than a rate allows', async () => {
      const { send } = await one(kind, { concurrency: 20, rateLimit: { perSecond: 10, burst: 5 } });
      hold.open();
      await send(gifts(20));
      await until('all', () => begun.length === 20, within);
      expectWithin(10, 5, begunAt);
    }, 90_000);

    it('shares a rate among all processes of the cluster', async () => {
      const rate = { concurrency: 20, rateLimit: { perSecond: 10, burst: 5, scope: 'cluster' as const } };
      const [store, other] = [ground.store(), ground.store()];
      const { send } = await ground.start(store, ground.transport(kind, store, { 'gift.sent': 'ranking' }), [
        handlerOf(rate),
      ]);
      await ground.start(other, ground.twin(kind, other), [handlerOf(rate)]);
      hold.open();
      await send(Array.from({ length: 30 }, (_, coins) => ({ room: `r${coins}`, coins })));
      await until('all', () => begun.length === 30, within);
      expectWithin(10, 5, begunAt);
    }, 90_000);
  });

  /** The n-th after the burst must not begin before its token. A tenth of a second for timers that end early and starts that differ. */
  function expectWithin(perSecond: number, burst: number, at: readonly number[]): void {
    const [first] = at;
    for (const [n, begin] of at.entries())
      expect(begin - first!).toBeGreaterThanOrEqual(((n + 1 - burst - 1) / perSecond) * 1_000 - 100);
  }
});

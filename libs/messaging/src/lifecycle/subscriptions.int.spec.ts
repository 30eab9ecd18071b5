import { type INestApplicationContext, Injectable } from '@nestjs/common';
import { fixed, type MessageContext, OptionsError } from '@tidings/core';
import { clientOf } from '@tidings/database';
import type { Outbox } from '@tidings/outbox';
import { describeOn, Gate, server, until } from '@tidings/testing';
import { OnMessage } from '../decorators/on-message.decorator';
import { SpecGround } from '../handling/spec-ground.fixture';
import { boot, closeAll, type Gift, GiftSent } from '../test-application.fixture';
import { MessagingHealth } from './messaging-health';
import { Subscriptions } from './subscriptions';

const RANKING = 'ranking@gift.sent';
const why = { by: 'ann', reason: 'the partner is down' };
const within = { withinMs: 60_000 };
const KINDS = ['postgres', ...(server('rabbitmq') ? (['rabbitmq'] as const) : [])] as const;

let hold: Gate | undefined;
let running: number;
let fail: boolean;

@Injectable()
class RankGift {
  @OnMessage(GiftSent, {
    group: 'ranking',
    ordered: true,
    concurrency: 4,
    retry: fixed({ attempts: 50, immediate: 0, delayMs: 50 }),
  })
  async rank({ room, coins }: Gift, context: MessageContext): Promise<void> {
    if (fail) throw new Error('not yet');
    running += 1;
    await hold?.opened;
    running -= 1;
    await clientOf(context).query('insert into effect (room, coins) values ($1, $2)', [room, coins]);
  }
}

describeOn('postgres', 'Subscriptions under control', (url) => {
  let ground: SpecGround;

  beforeAll(async () => {
    ground = await SpecGround.at(url);
  });
  beforeEach(async () => {
    [hold, running, fail] = [undefined, 0, false];
    await ground.query('truncate effect');
  });
  afterEach(async () => {
    hold?.open();
    await closeAll();
    await ground.query(`delete from ${ground.schema}.subscription_control`);
  });
  afterAll(() => ground.close());

  type Process = Awaited<ReturnType<SpecGround['start']>>;
  const more = { parking: { pollMs: 200 } };

  /** Two processes of one application, each with connections, log and signals of its own. */
  async function two(kind: (typeof KINDS)[number]): Promise<readonly [Process, Process]> {
    const [one, other] = [ground.store(), ground.store()];
    const transport = ground.transport(kind, one, { 'gift.sent': 'ranking' });
    return [
      await ground.start(one, transport, [RankGift], more),
      await ground.start(other, ground.twin(kind, other), [RankGift], more),
    ];
  }
  const another = async (kind: (typeof KINDS)[number]): Promise<Process> => {
    const store = ground.store();
    return ground.start(store, ground.twin(kind, store), [RankGift], more);
  };
  const pausedIn = (app: INestApplicationContext): number => app.get(MessagingHealth).check().consumers.paused;
  const allPaused = (...apps: readonly Process[]) =>
    until('all processes know', () => apps.every(({ app }) => pausedIn(app) === 1), within);
  const gifts = (count: number, room = 'r'): Gift[] =>
    Array.from({ length: count }, (_, n) => ({ room: `${room}${n % 8}`, coins: n }));
  const effects = (count: number) =>
    until(`${count} effects`, async () => (await ground.effects()).length === count, within);
  const published = async (outbox: Outbox) => {
    await until('the relay has passed all on', async () => (await outbox.backlog()).every(({ reader, messages }) => reader !== 'relay' || messages === 0), within); // prettier-ignore
  };

  describe.each(KINDS)('on %s', (kind) => {
    it('a pause holds in every process and in one that starts later, and nothing is lost by it', async () => {
      const [one, other] = await two(kind);
      await one.send(gifts(8));
      await effects(8);
      const decided = one.app.get(Subscriptions);
      await decided.pause(RANKING, why);
      expect(await decided.list()).toEqual([
        { group: 'ranking', topic: 'gift.sent', paused: { ...why, since: expect.any(String) }, concurrency: null, keyConcurrency: null }, // prettier-ignore
      ]);
      await allPaused(one, other);
      await one.send(gifts(8, 'later'));
      await published(one.outbox);
      for (const { app } of [one, other]) await app.close();
      const third = await another(kind);
      expect(pausedIn(third.app)).toBe(1);
      await third.send(gifts(1, 'last'));
      await published(third.outbox);
      expect(await ground.effects()).toHaveLength(8);
      expect(await third.app.get(Subscriptions).resume(RANKING)).toBe(true);
      await effects(17);
      expect(pausedIn(third.app)).toBe(0);
      expect(await third.app.get(Subscriptions).resume({ group: 'ranking', topic: 'gift.sent' })).toBe(false);
      expect(await third.app.get(Subscriptions).list()).toEqual([]);
    });

    it('the concurrency of all processes follows, and is given back to the code', async () => {
      const [one, other] = await two(kind);
      const decided = other.app.get(Subscriptions);
      await decided.setConcurrency(RANKING, 1, { by: 'ann' });
      hold = new Gate();
      expect(await one.app.get(Subscriptions).list()).toMatchObject([
        { paused: null, concurrency: { value: 1, by: 'ann' } },
      ]);
      await decided.pause(RANKING, why); // when both know of it they know of the concurrency, too
      await allPaused(one, other);
      await one.send(gifts(16));
      await published(one.outbox);
      await decided.resume(RANKING);
      await until('one runs in each that has some', () => running >= 1, within);
      await decided.pause(RANKING, why);
      await allPaused(one, other);
      expect(running).toBeLessThanOrEqual(2);
      await decided.setConcurrency(RANKING, null, { by: 'ann' });
      await decided.resume(RANKING);
      await until('the four of the code in one of them', () => running >= 4, within);
      hold.open();
      await effects(16);
    });

    it('parked keys wait, too', async () => {
      const [one, other] = await two(kind);
      fail = true;
      await one.send([{ room: 'r', coins: 1 }]);
      const parked = async () =>
        (await ground.query<{ count: number }>(`select count(*)::int from ${ground.schema}.parked_key`))[0]!.count;
      await until('it is parked', async () => (await parked()) === 1, within);
      const decided = one.app.get(Subscriptions);
      await decided.pause(RANKING, why);
      await allPaused(one, other);
      const due = `${ground.schema}.parked_key`;
      await until('its turn in hand has ended, and it is due', async () => {
        const rows = await ground.query(`select 1 from ${due} where due_at < now() - interval '1 second'`);
        return rows.length === 1;
      }, within); // prettier-ignore
      fail = false;
      expect(await ground.effects()).toEqual([]);
      await decided.resume(RANKING);
      await effects(1);
    });
  });

  it('refuses an address, a reason and a number that cannot be meant', async () => {
    const [{ app }] = await two('postgres');
    const decided = app.get(Subscriptions);
    for (const address of ['ranking', 'ranking@', 'a@b@c']) {
      await expect(decided.pause(address, why)).rejects.toThrow(`must be group@topic, or { group, topic }, found "${address}"`); // prettier-ignore
    }
    await expect(decided.pause(RANKING, { by: 'ann', reason: ' ' })).rejects.toThrow(
      'subscriptions.reason: must be a text',
    );
    await expect(decided.pause(RANKING, { by: 'a\0', reason: 'x' })).rejects.toThrow(
      'subscriptions.by: must be a text',
    );
    for (const concurrency of [0, 1.5, 10_001]) {
      await expect(decided.setConcurrency(RANKING, concurrency, { by: 'ann' })).rejects.toThrow(OptionsError);
    }
    expect(await decided.list()).toEqual([]);
  });

  it('needs a store', async () => {
    const app = await boot({});
    await expect(app.get(Subscriptions).pause(RANKING, why)).rejects.toThrow(
      'subscriptions: expected a store, found none',
    );
  });
});

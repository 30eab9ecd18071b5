import { Injectable } from '@nestjs/common';
import { defineMessage, type MessageContext, type Middleware, refusalOf, RefusedError } from '@tidings/core';
import { clientOf } from '@tidings/database';
import { describeOn, until } from '@tidings/testing';
import { z } from 'zod';
import { Compensate } from '../decorators/compensate.decorator';
import { OnMessage } from '../decorators/on-message.decorator';
import { closeAll, eager, type Gift } from '../test-application.fixture';
import { SpecGround, TRANSPORTS } from './spec-ground.fixture';

const GROUPS = { 'points.spent': 'shop', 'points.spent.refused.spec': 'spec' };

const PointsSpent = defineMessage('points.spent', {
  schema: z.object({ room: z.string(), coins: z.number() }),
  key: ({ room }) => room,
  refusable: true,
});
const NeverUndone = defineMessage('points.lost', { schema: z.object({ room: z.string(), coins: z.number() }) });

let runs: number;
let refusals: string[];
/** What the other side does with a message, by its turn. */
let verdicts: ((gift: Gift) => void)[];

const refuse = (): never => {
  throw new RefusedError('the room is closed');
};
const fail = (): never => {
  throw new Error('not now');
};

@Injectable()
class Shop {
  @OnMessage(PointsSpent, { group: 'shop', ordered: true, retry: eager(3) })
  async sell({ room, coins }: Gift, context: MessageContext): Promise<void> {
    runs += 1;
    await clientOf(context).query('insert into effect (room, coins) values ($1, $2)', [room, coins]);
    verdicts.shift()?.({ room, coins });
  }
}

@Injectable()
class Points {
  failures = 0;

  @Compensate(PointsSpent, { ordered: true, retry: eager(3) })
  async refund({ room, coins }: Gift, context: MessageContext): Promise<void> {
    await clientOf(context).query('insert into effect (room, coins) values ($1, $2)', [room, -coins]);
    const { service, group, reason } = refusalOf(context);
    if (this.failures-- > 0) throw new Error('not now');
    refusals.push(`${service}/${group}: ${reason}`);
  }
}

@Injectable()
class Loser {
  @OnMessage(NeverUndone, { group: 'loser' })
  lose(): void {
    refuse();
  }
}

describeOn('postgres', 'What a receiver refuses for good', (url) => {
  let ground: SpecGround;

  beforeAll(async () => {
    ground = await SpecGround.at(url);
  });
  beforeEach(async () => {
    runs = 0;
    refusals = [];
    verdicts = [];
    await ground.query('truncate effect');
  });
  afterEach(closeAll);
  afterAll(() => ground.close());

  const start = async (kind: (typeof TRANSPORTS)[number], outermost: Middleware[] = []) => {
    const store = ground.store();
    const parts = [Shop, Points];
    const more = { middleware: outermost };
    const { app, outbox, letters } = await ground.start(store, ground.transport(kind, store, GROUPS), parts, more);
    const spend = (gift: Gift) =>
      store.run((transaction) => outbox.within(transaction).publish(PointsSpent, gift)).then(() => undefined);
    return { app, letters, spend, points: app.get(Points) };
  };

  it.each(TRANSPORTS)('is undone by its sender once, and its key goes on: %s', async (kind) => {
    const { spend, letters } = await start(kind);
    verdicts = [refuse];
    await spend({ room: 'r1', coins: 7 });
    await until('it is undone', () => refusals.length === 1);
    await spend({ room: 'r1', coins: 8 });
    await until('the next one is handled', async () => (await ground.effects()).length === 2);
    expect(await ground.effects()).toEqual([-7, 8]); // what the shop wrote before it refused is gone
    expect(refusals).toEqual(['spec/shop: the room is closed']);
    expect(runs).toBe(2);
    expect(await letters.list()).toEqual([]);
  });

  it.each(TRANSPORTS)('is retried while it only fails, and nothing is undone: %s', async (kind) => {
    const { spend, letters } = await start(kind);
    verdicts = [fail, fail];
    await spend({ room: 'r1', coins: 7 });
    await until('it is handled', async () => (await ground.effects()).length === 1);
    expect(await ground.effects()).toEqual([7]);
    expect(runs).toBe(3);
    expect(refusals).toEqual([]);
    expect(await letters.list()).toEqual([]);
  });

  it.each(TRANSPORTS)('is undone once also when undoing fails at first: %s', async (kind) => {
    const { spend, points } = await start(kind);
    points.failures = 2;
    verdicts = [refuse];
    await spend({ room: 'r1', coins: 7 });
    await until('it is undone', () => refusals.length === 1);
    await until('it is committed', async () => (await ground.effects()).length === 1);
    expect(await ground.effects()).toEqual([-7]);
  });

  it.each(TRANSPORTS)('stays refused when its copy comes: %s', async (kind) => {
    // Each delivery runs the chain twice, as when its settlement was lost.
    const twice: Middleware = async (_context, next) => {
      await next();
      return next();
    };
    const { spend } = await start(kind, [twice]);
    verdicts = [refuse];
    await spend({ room: 'r1', coins: 7 });
    await until('it is undone', () => refusals.length === 1);
    await spend({ room: 'r1', coins: 8 });
    await until('the next one is handled', async () => (await ground.effects()).length === 2);
    expect(await ground.effects()).toEqual([-7, 8]);
    expect(runs).toBe(2);
  });

  it('is a dead letter where the contract is not refusable', async () => {
    const store = ground.store();
    const { outbox, letters } = await ground.start(store, ground.transport('memory', store, {}), [Loser]);
    await store.run((transaction) => outbox.within(transaction).publish(NeverUndone, { room: 'r1', coins: 7 }));
    await until('it is buried', async () => (await letters.list()).length === 1);
    expect((await letters.list())[0]).toMatchObject({ place: 'loser', reason: 'not retriable: the room is closed' });
  });
});

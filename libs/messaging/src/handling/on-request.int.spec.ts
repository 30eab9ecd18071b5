import { type CanActivate, Injectable, UseGuards } from '@nestjs/common';
import { defineRequest, type MessageContext, ResponderError } from '@tidings/core';
import { clientOf } from '@tidings/database';
import { describeOn } from '@tidings/testing';
import { z } from 'zod';
import { OnRequest } from '../decorators/on-request.decorator';
import { MessageRequester } from '../publishing/message-requester';
import { closeAll, type Gift } from '../test-application.fixture';
import { SpecGround, TRANSPORTS } from './spec-ground.fixture';

const GROUPS = { 'gift.take': 'responders', 'gift.guarded': 'responders' };
const PATIENT = { timeoutMs: 30_000 };

const gift = z.object({ room: z.string(), coins: z.number() });
const TakeGift = defineRequest('gift.take', {
  schema: gift,
  reply: { schema: z.object({ total: z.number().max(500) }) },
});
const Guarded = defineRequest('gift.guarded', { schema: gift, reply: { schema: z.object({}) } });

let runs: number;

const nobody: CanActivate = { canActivate: () => false };

@Injectable()
class Till {
  @OnRequest(TakeGift)
  async take({ room, coins }: Gift, context: MessageContext): Promise<{ total: number }> {
    runs += 1;
    await clientOf(context).query('insert into effect (room, coins) values ($1, $2)', [room, coins]);
    const { rows } = await clientOf(context).query<{ total: string }>('select sum(coins) as total from effect');
    return { total: Number(rows[0]?.total) };
  }

  @OnRequest(Guarded)
  @UseGuards(nobody)
  guarded(): Record<string, never> {
    runs += 1;
    return {};
  }
}

describeOn('postgres', 'Handlers that answer', (url) => {
  let ground: SpecGround;

  beforeAll(async () => {
    ground = await SpecGround.at(url);
  });
  beforeEach(async () => {
    runs = 0;
    await ground.query('truncate effect');
  });
  afterEach(closeAll);
  afterAll(() => ground.close());

  const start = async (kind: (typeof TRANSPORTS)[number]) => {
    const store = ground.store();
    const { app, letters } = await ground.start(store, ground.transport(kind, store, GROUPS), [Till]);
    const requester = app.get(MessageRequester);
    const failure = (asked: Promise<unknown>) =>
      asked.then(
        () => undefined,
        (error: unknown) => error as ResponderError,
      );
    return { requester, letters, failure };
  };

  it.each(TRANSPORTS)('answer when their transaction has committed: %s', async (kind) => {
    const { requester } = await start(kind);
    for (const [n, total] of [7, 14, 21].entries()) {
      expect(await requester.request(TakeGift, { room: 'r1', coins: 7 }, PATIENT)).toEqual({ total });
      expect(await ground.effects()).toHaveLength(n + 1);
    }
  });

  it.each(TRANSPORTS)('answer with their failure, once, undone and without a dead letter: %s', async (kind) => {
    const { requester, letters, failure } = await start(kind);
    const refused = await failure(requester.request(TakeGift, { room: 'r1', coins: 1_000 }, PATIENT));
    expect(refused).toBeInstanceOf(ResponderError);
    expect(refused?.failure).toMatchObject({
      code: '23514',
      message: expect.stringContaining('"small"') as string,
    });
    const unfit = await failure(requester.request(TakeGift, { room: 'r1', coins: 501 }, PATIENT));
    expect(unfit?.failure).toMatchObject({
      code: 'TIDINGS_CONTRACT',
      message: expect.stringContaining('total') as string,
    });
    expect(await ground.effects()).toEqual([]);
    expect(runs).toBe(2);
    const forbidden = await failure(requester.request(Guarded, { room: 'r1', coins: 1 }, PATIENT));
    expect(forbidden?.failure.message).toBe('forbidden');
    expect(runs).toBe(2);
    expect(await letters.list()).toEqual([]);
  });
});

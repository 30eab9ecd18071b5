import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { timestampOf } from '@tidings/core';
import { Outbox, Subscriptions } from '@tidings/messaging';
import { Gate } from '@tidings/testing';
import { DataSource } from 'typeorm';
import request from 'supertest';
import { GiftModule, Gifts, GiftSent, Ranking, RoomClosed } from './gift-application.fixture';
import './jest';
import { TidingsHarness } from './tidings-harness';
import { TidingsTestingModule } from './tidings-testing.module';

const rose = { room: 'r1', gift: 'rose', coins: 7 };

describe('an application under TidingsTestingModule', () => {
  let app: INestApplication;
  let harness: TidingsHarness;
  let ranking: Ranking;

  beforeEach(async () => {
    const kit = TidingsTestingModule.forRoot();
    const module = await Test.createTestingModule({ imports: [GiftModule, kit] })
      .setLogger(false as never)
      .overrideProvider(DataSource)
      .useValue(kit.dataSource)
      .compile();
    app = await module.createNestApplication({ logger: false }).init();
    harness = app.get(TidingsHarness);
    ranking = app.get(Ranking);
  });
  afterEach(() => app.close());

  const send = (gift: object) =>
    request(app.getHttpServer() as never)
      .post('/gifts')
      .send(gift);

  it('publishes by its outbox and handles, without a server', async () => {
    await send(rose).expect(201);
    await harness.settled();
    expect(await harness.published(GiftSent)).toMatchObject([{ payload: rose, via: 'outbox', transport: 'main', message: { key: 'r1', source: 'gifts' } }]); // prettier-ignore
    expect(await harness.handled(GiftSent, { group: 'ranking' })).toMatchObject([{ payload: rose, handler: 'Ranking.rank', attempt: 1 }]); // prettier-ignore
    expect(ranking.ranked).toEqual(['rose']);
    await expect(harness).toHavePublished(GiftSent, expect.objectContaining({ coins: 7 }));
    await expect(harness).toHaveHandled(GiftSent);
    await expect(harness).not.toHaveBuried(GiftSent);
  });

  it('publishes nothing of a transaction that rolled back', async () => {
    await send({ ...rose, coins: -1 }).expect(500);
    await harness.settled();
    expect(await harness.published()).toEqual([]);
    expect(ranking.ranked).toEqual([]);
  });

  it('retries at its time, and not before', async () => {
    ranking.failures = 2;
    await send(rose);
    await harness.settled();
    expect(harness.attempts(GiftSent)).toMatchObject([{ outcome: 'failed', attempt: 1 }]);
    await harness.advance('59s');
    expect(harness.attempts(GiftSent)).toHaveLength(1);
    await harness.advance('1s');
    expect(harness.attempts(GiftSent)).toHaveLength(2);
    await harness.advance('1h');
    await harness.settled();
    expect(harness.attempts(GiftSent).map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'handled']);
    expect(ranking.ranked).toEqual(['rose']);
  });

  it('keeps the order of a key behind a message that waits for its retry, while other keys go on', async () => {
    ranking.failures = 1;
    await send(rose);
    await harness.settled();
    await send({ ...rose, gift: 'tulip' });
    await send({ ...rose, room: 'r2', gift: 'lily' });
    await harness.settled();
    expect(ranking.ranked).toEqual(['lily']);
    await harness.advance('1m');
    await harness.settled();
    expect(ranking.ranked).toEqual(['lily', 'rose', 'tulip']);
  });

  it('buries what fails for good, parks its key, and redrives it', async () => {
    await send({ ...rose, gift: 'bomb' });
    await send({ ...rose, gift: 'tulip' });
    await harness.settled();
    const [buried] = await harness.buried(GiftSent);
    expect(buried).toMatchObject({ group: 'ranking', reason: expect.stringContaining('no bombs') as unknown });
    await expect(harness).toHaveBuried(GiftSent, expect.stringContaining('no bombs'));
    expect(ranking.ranked).toEqual([]);
    const letters = harness.deadLetters();
    await letters.edit(buried!.letter.id, {
      by: 'Ada',
      reason: 'typo',
      payload: JSON.stringify({ ...rose, gift: 'balm' }),
    });
    expect(await letters.redrive(buried!.letter.id)).toEqual({ outcome: 'redriven', generation: 1 });
    await harness.settled();
    expect(ranking.ranked).toEqual(['balm', 'tulip']);
    expect(await harness.buried()).toEqual([]);
  });

  it('absorbs a copy that the broker delivers again', async () => {
    const message = await harness.receive(GiftSent, rose);
    await harness.settled();
    await harness.redeliver(message);
    await harness.settled();
    expect(ranking.ranked).toEqual(['rose']);
    expect(harness.attempts(GiftSent).map(({ outcome }) => outcome)).toEqual(['handled', 'absorbed']);
    await harness.advance('40d');
    await harness.redeliver(message);
    await harness.settled();
    expect(await harness.buried(GiftSent)).toMatchObject([{ reason: expect.stringContaining('outside the dedupe horizon') as unknown }]); // prettier-ignore
  });

  it.each([
    ['before-handler', ['rose'], ['failed', 'handled']],
    ['before-commit', ['rose', 'rose'], ['failed', 'handled']],
    ['before-acknowledgement', ['rose'], ['handled', 'absorbed']],
  ] as const)('survives a fault %s', async (at, ranked, outcomes) => {
    harness.failNext(GiftSent, { at });
    await harness.receive(GiftSent, rose);
    await harness.settled();
    await harness.advance('1m');
    await harness.settled();
    expect(ranking.ranked).toEqual(ranked);
    expect(harness.attempts(GiftSent).map(({ outcome }) => outcome)).toEqual(outcomes);
  });

  it('lets a delayed message leave when its time has come', async () => {
    await app.get(Gifts).send(rose, 3_600_000);
    await harness.settled();
    expect(await harness.published(GiftSent)).toMatchObject([{ dueMs: harness.now + 3_600_000 }]);
    await harness.advance('59m');
    await harness.settled();
    expect(ranking.ranked).toEqual([]);
    await harness.advance('1m');
    await harness.settled();
    expect(ranking.ranked).toEqual(['rose']);
  });

  it('lists what waits for its time, takes it back and gives it another time, as part of a transaction', async () => {
    const { scheduled } = app.get(Outbox);
    await app.get(Gifts).send(rose, 3_600_000);
    await app.get(Gifts).send({ ...rose, gift: 'tulip' }, 3_600_000);
    await harness.settled();
    const [first, second] = await scheduled.list();
    expect(first).toMatchObject({ type: 'gift.sent', key: 'r1', transport: 'main', deliverAt: timestampOf(harness.now + 3_600_000) }); // prettier-ignore
    expect(await scheduled.list({ after: first!.cursor })).toEqual([second]);
    await harness.transaction((transaction) => scheduled.cancel(transaction, first!.messageId));
    const rolledBack = harness.transaction(async (transaction) => {
      expect(await scheduled.cancel(transaction, second!.messageId)).toBe(true);
      throw new Error('changed my mind');
    });
    await expect(rolledBack).rejects.toThrow('changed my mind');
    const moved = await harness.transaction((t) => scheduled.reschedule(t, second!.messageId, { delayMs: 60_000 }));
    expect(moved).toBe(true);
    await harness.advance('59s');
    await harness.settled();
    expect(ranking.ranked).toEqual([]);
    await harness.advance('2h');
    await harness.settled();
    expect(ranking.ranked).toEqual(['tulip']);
    expect(await scheduled.list()).toEqual([]);
    expect(await harness.transaction((t) => scheduled.cancel(t, second!.messageId))).toBe(false);
  });

  it('pauses and resumes a subscription, and nothing is handled in between', async () => {
    const subscriptions = app.get(Subscriptions);
    await subscriptions.pause('ranking@gift.sent', { by: 'ann', reason: 'maintenance' });
    await harness.receive(GiftSent, rose);
    await harness.settled(); // what a paused subscription has taken is no reason to wait
    expect(ranking.ranked).toEqual([]);
    expect(await subscriptions.list()).toMatchObject([{ paused: { by: 'ann', since: timestampOf(harness.now) } }]);
    expect(await subscriptions.resume('ranking@gift.sent')).toBe(true);
    await harness.settled();
    expect(ranking.ranked).toEqual(['rose']);
    expect(await subscriptions.list()).toEqual([]);
  });

  it('names what is pending when it does not settle in time', async () => {
    const gate = new Gate();
    ranking.work = gate.opened;
    const { id } = await harness.receive(GiftSent, rose);
    const unsettled = harness.settled({ timeoutMs: 50 });
    await expect(unsettled).rejects.toMatchObject({
      code: 'TIDINGS_NOT_SETTLED',
      pending: [`in flight: gift.sent ${id} in Ranking.rank of group ranking, attempt 1`],
    });
    gate.open();
    await harness.settled();
    expect(ranking.ranked).toEqual(['rose']);
  });

  it('ends a handler that takes longer than its time-out, by the clock of the test', async () => {
    const gate = new Gate();
    ranking.work = gate.opened;
    await harness.receive(RoomClosed, { room: 'r1' });
    await harness.advance('5s');
    await harness.settled();
    await expect(harness).toHaveBuried(RoomClosed);
    gate.open();
  });

  it('shows what was published instead when a matcher fails', async () => {
    await send(rose);
    await harness.settled();
    await expect(expect(harness).toHavePublished(GiftSent, expect.objectContaining({ coins: 8 }))).rejects.toThrow(
      /expected gift\.sent with ObjectContaining .*8.* to have been published, found \s*gift\.sent .*"coins": 7/,
    );
    await expect(expect(harness).toHavePublished(RoomClosed)).rejects.toThrow(/expected room\.closed to have been published, found \s*gift\.sent /); // prettier-ignore
    await expect(expect(harness).not.toHavePublished(GiftSent)).rejects.toThrow(/expected no gift\.sent/);
  });
});

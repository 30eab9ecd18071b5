import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Outbox, PreparedDecisionError } from '@tidings/messaging';
import { DataSource } from 'typeorm';
import { GiftModule, Gifts, GiftSent, Payments, PaymentTaken, Ranking } from './gift-application.fixture';
import './jest';
import { TidingsHarness } from './tidings-harness';
import { TidingsTestingModule } from './tidings-testing.module';

const rose = { room: 'r1', gift: 'rose', coins: 7 };

describe('under TidingsTestingModule', () => {
  let app: INestApplicationContext;
  let harness: TidingsHarness;

  beforeEach(async () => {
    const kit = TidingsTestingModule.forRoot();
    const module = await Test.createTestingModule({ imports: [GiftModule, kit] })
      .setLogger(false as never)
      .overrideProvider(DataSource)
      .useValue(kit.dataSource)
      .compile();
    app = await module.init();
    harness = app.get(TidingsHarness);
  });
  afterEach(() => app.close());

  describe('a prepared message', () => {
    const prepare = (id = 'p1') => app.get(Outbox).prepare(PaymentTaken, { payment: id }, { id });

    it('leaves when it is committed, once, and never after a rollback', async () => {
      const taken = await prepare();
      await harness.settled();
      await expect(harness).not.toHavePublished(PaymentTaken);
      await taken.commit();
      await taken.commit();
      await harness.settled();
      expect(await harness.published(PaymentTaken)).toMatchObject([{ payload: { payment: 'p1' } }]);
      await expect(taken.rollback()).rejects.toThrow(PreparedDecisionError);
      const refused = await prepare('p2');
      await refused.rollback();
      await expect(refused.commit()).rejects.toThrow(PreparedDecisionError);
      await expect(prepare('p2')).rejects.toMatchObject({ code: 'TIDINGS_ALREADY_PREPARED' });
      await harness.settled();
      expect(await harness.published(PaymentTaken)).toHaveLength(1);
    });

    it('is part of the transaction that prepares or decides it', async () => {
      const undone = (work: (transaction: unknown) => Promise<unknown>): Promise<void> =>
        expect(
          harness.transaction(async (transaction) => {
            await work(transaction);
            throw new Error('undone');
          }),
        ).rejects.toThrow('undone');
      await undone((t) => app.get(Outbox).within(t).prepare(PaymentTaken, { payment: 'p1' }, { id: 'p1' }));
      const taken = await prepare();
      await undone((t) => taken.commit(t));
      expect(await app.get(Outbox).prepared.undecided()).toMatchObject([{ message: { id: 'p1' }, checks: 0 }]);
      // The later one waits for the earlier one's end, and finds its decision.
      const deciding = harness.transaction(async (t) => {
        await taken.commit(t);
        const late = taken.rollback();
        return { late };
      });
      await expect((await deciding).late).rejects.toThrow(PreparedDecisionError);
      await harness.settled();
      await expect(harness).toHavePublished(PaymentTaken);
    });

    it('is asked for at its times, until the answer is known', async () => {
      const payments = app.get(Payments);
      await prepare();
      await harness.advance('59s');
      expect(payments.asked).toEqual([]);
      await harness.advance('2s');
      expect(payments.asked).toEqual(['p1']);
      await harness.advance('58s');
      expect(payments.asked).toHaveLength(1);
      payments.answer = 'commit';
      await harness.advance('2m');
      await harness.settled();
      expect(payments.asked).toEqual(['p1', 'p1']);
      await expect(harness).toHavePublished(PaymentTaken, { payment: 'p1' });
      await harness.advance('40d');
      expect(payments.asked).toHaveLength(2);
    });

    it('is a dead letter when nobody ever knows', async () => {
      await prepare();
      await harness.advance('2d');
      await expect(harness).toHaveBuried(PaymentTaken, expect.stringContaining('undecided'));
      expect(app.get(Payments).asked).toHaveLength(15);
    });
  });

  describe('dead letters', () => {
    let ranking: Ranking;
    const decided = { by: 'ada', reason: 'bombs are allowed now' };

    beforeEach(async () => {
      ranking = app.get(Ranking);
      for (const room of ['r1', 'r2', 'r3']) await app.get(Gifts).send({ ...rose, room, gift: 'bomb' });
      await harness.settled();
      expect(await harness.buried(GiftSent)).toHaveLength(3);
      harness.clear();
    });

    it('are tried in a dry run, which leaves nothing', async () => {
      const letters = harness.deadLetters();
      expect(await letters.dryRun({ filter: { type: 'gift.sent' } })).toMatchObject(
        [1, 2, 3].map(() => ({ outcome: 'would-fail', checked: 'handler', error: { message: 'no bombs' } })),
      );
      ranking.bombsAllowed = true;
      expect(await letters.dryRun({ ids: ['1'] })).toEqual([{ letter: '1', outcome: 'would-succeed', checked: 'handler' }]); // prettier-ignore
      expect(ranking.effects).toEqual([]);
      expect(await harness.buried(GiftSent)).toHaveLength(3);
    });

    it('are redriven by a job, the canary first', async () => {
      ranking.bombsAllowed = true;
      const { redriveJobs } = harness.deadLetters();
      const { id } = await redriveJobs.start({ filter: { type: 'gift.sent' } }, { ...decided, canary: 1 });
      await harness.settled();
      expect(ranking.effects).toEqual(['bomb']);
      await harness.advance('1s');
      await harness.settled();
      expect(await redriveJobs.find(id)).toMatchObject({ status: 'done', redriven: 3, failed: 0, held: 0 });
      expect(ranking.effects).toEqual(['bomb', 'bomb', 'bomb']);
      expect(await harness.buried()).toEqual([]);
    });

    it('stop a job when its canary fails again; the others wait as before', async () => {
      const { redriveJobs } = harness.deadLetters();
      const { id } = await redriveJobs.start({ ids: ['1', '2', '3'] }, { ...decided, canary: 1 });
      await harness.advance('1s');
      expect(await redriveJobs.find(id)).toMatchObject({
        status: 'stopped',
        redriven: 1,
        detail: expect.stringContaining('letter 1 failed again as letter 4') as unknown,
      });
      expect((await harness.buried(GiftSent)).map(({ letter }) => letter.id)).toEqual(['2', '3', '4']);
      expect(await redriveJobs.resume(id)).toBe(false);
    });

    it('go at the rate of their job, which is paused, resumed and cancelled', async () => {
      ranking.bombsAllowed = true;
      const { redriveJobs } = harness.deadLetters();
      const slow = { ...decided, canary: 0, perSecond: 0.1 };
      const { id } = await redriveJobs.start({ ids: ['1', '2', '3'] }, slow);
      await harness.settled();
      expect(await redriveJobs.pause(id)).toBe(true);
      await harness.advance('1m');
      expect(await redriveJobs.find(id)).toMatchObject({ status: 'paused', redriven: 1 });
      expect(await redriveJobs.resume(id)).toBe(true);
      await harness.settled();
      expect(await redriveJobs.find(id)).toMatchObject({ status: 'running', redriven: 2 });
      expect(await redriveJobs.cancel(id)).toBe(true);
      await harness.advance('1h');
      expect(await redriveJobs.list()).toMatchObject([{ id, status: 'cancelled', redriven: 2 }]);
      expect(await harness.buried(GiftSent)).toHaveLength(1);
    });
  });
});

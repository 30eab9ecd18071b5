import { type DeadLetterSink, silentLogger, systemClock } from '@tidings/core';
import { memory } from '@tidings/memory';
import { describeOn, until } from '@tidings/testing';
import { CheckBack, type CheckBackAnswer } from './check-back';
import { checkBackOptions } from './check-back.options';
import type { Outbox } from './outbox';
import { AlreadyPreparedError, PreparedDecisionError } from './prepared.errors';
import { GiftSent, SpecOutbox } from './spec-outbox.fixture';

describeOn('postgres', 'prepared messages', (url) => {
  const main = memory();
  let spec: SpecOutbox;
  let outbox: Outbox;

  beforeEach(async () => {
    spec = await SpecOutbox.open(url);
    outbox = spec.outbox({ main });
  });
  afterEach(() => spec.close());

  const gift = (giftId: string) => ({ giftId, roomId: 'r', n: 1 });
  const logged = async (): Promise<string[]> => {
    const rows = await spec.dataSource.query<{ id: string }[]>(`select id from ${spec.schema}.message order by seq`);
    return rows.map(({ id }) => id);
  };
  /** The database's clock goes on by so much; this process's does not. */
  const later = (minutes: number): Promise<unknown> =>
    spec.dataSource.query(
      `create or replace function ${spec.schema}.now() returns timestamptz language sql volatile parallel safe as
         'select clock_timestamp() + interval ''${minutes} minutes'''`,
    );
  const commitWaits = async (): Promise<boolean> => {
    const waiting = await spec.dataSource.query<unknown[]>(
      `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%' || $1 || '%decided as%'`,
      [spec.schema],
    );
    return waiting.length > 0;
  };
  const checkBack = (
    answer: () => CheckBackAnswer | Promise<CheckBackAnswer>,
    { deadLetters = spec.sink, checks = 15 }: { deadLetters?: DeadLetterSink; checks?: number } = {},
  ): CheckBack => {
    const task = new CheckBack({
      store: spec.store,
      prepared: outbox.prepared,
      deadLetters,
      options: checkBackOptions.parse({ checks }),
      instance: 'spec',
      clock: systemClock,
      logger: silentLogger,
    });
    task.answer('gift.sent', async () => answer());
    return task;
  };

  describe('decided by whoever prepared it', () => {
    it('leaves when committed, with the bytes that were prepared, and not before', async () => {
      const prepared = await outbox.prepare(GiftSent, gift('a'), { id: 'a', headers: { who: 'ünï' } });
      expect(await logged()).toEqual([]);
      await prepared.commit();
      const [row] = await spec.dataSource.query<{ payload: Buffer; headers: object; bucket: boolean }[]>(
        `select payload, headers, bucket = (${spec.schema}.now() at time zone 'UTC')::date as bucket from ${spec.schema}.message`,
      );
      expect(row).toMatchObject({ headers: { who: 'ünï' }, bucket: true });
      expect(row!.payload.equals(Buffer.from(prepared.message.payload))).toBe(true);
    });

    it('never leaves when rolled back', async () => {
      const prepared = await outbox.prepare(GiftSent, gift('a'));
      await prepared.rollback();
      expect(await logged()).toEqual([]);
      expect(await outbox.prepared.undecided()).toEqual([]);
    });

    it('leaves once, however often it is committed', async () => {
      const prepared = await outbox.prepare(GiftSent, gift('a'), { id: 'a' });
      await Promise.all([prepared.commit(), prepared.commit(), prepared.commit()]);
      await prepared.commit();
      expect(await logged()).toEqual(['a']);
    });

    it('refuses a decision that contradicts the first, and changes nothing', async () => {
      const committed = await outbox.prepare(GiftSent, gift('a'), { id: 'a' });
      await committed.commit();
      await expect(committed.rollback()).rejects.toThrow(PreparedDecisionError);
      const rolledBack = await outbox.prepare(GiftSent, gift('b'), { id: 'b' });
      await rolledBack.rollback();
      await rolledBack.rollback();
      await expect(rolledBack.commit()).rejects.toThrow(/prepared message b: to be committed, found rolled-back/);
      expect(await logged()).toEqual(['a']);
    });

    it('refuses an unknown id, and an id that was prepared before', async () => {
      await expect(outbox.prepared.commit('x')).rejects.toThrow(/found no such message/);
      await outbox.prepare(GiftSent, gift('a'), { id: 'a' });
      await expect(outbox.prepare(GiftSent, gift('a'), { id: 'a' })).rejects.toThrow(AlreadyPreparedError);
    });

    it("is part of the caller's transaction: prepared, committed or neither", async () => {
      const mistake = spec.dataSource.transaction(async (manager) => {
        await outbox.within(manager).prepare(GiftSent, gift('a'), { id: 'a' });
        throw new Error('no');
      });
      await expect(mistake).rejects.toThrow('no');
      expect(await outbox.prepared.undecided()).toEqual([]);

      const prepared = await outbox.prepare(GiftSent, gift('b'), { id: 'b' });
      const undone = spec.dataSource.transaction(async (manager) => {
        await prepared.commit(manager);
        throw new Error('no');
      });
      await expect(undone).rejects.toThrow('no');
      expect(await outbox.prepared.undecided()).toMatchObject([{ message: { id: 'b' }, checks: 0 }]);
      expect(await logged()).toEqual([]);
    });

    it('takes its place in the order of its key by its commit', async () => {
      const first = await outbox.prepare(GiftSent, gift('a'), { id: 'a' });
      const second = await outbox.prepare(GiftSent, gift('b'), { id: 'b' });
      await second.commit();
      await first.commit();
      expect(await logged()).toEqual(['b', 'a']);
    });
  });

  describe('asked for', () => {
    it('is not asked for before its time, and then decided as the answer says', async () => {
      await outbox.prepare(GiftSent, gift('a'), { id: 'a' });
      await outbox.prepare(GiftSent, gift('b'), { id: 'b' });
      const asked = jest.fn<CheckBackAnswer, []>().mockReturnValueOnce('commit').mockReturnValueOnce('rollback');
      await checkBack(asked).runOnce();
      expect(asked).not.toHaveBeenCalled();
      await later(2);
      await checkBack(asked).runOnce();
      expect(asked).toHaveBeenCalledTimes(2);
      expect(await logged()).toHaveLength(1);
      expect(await outbox.prepared.undecided()).toEqual([]);
    });

    it('is asked for again after unknown, each time twice as late', async () => {
      await outbox.prepare(GiftSent, gift('a'));
      const asked = jest.fn<CheckBackAnswer, []>(() => 'unknown');
      const task = checkBack(asked);
      for (const [minutes, calls] of [
        [2, 1],
        [2.5, 1],
        [4, 2],
        [5, 2],
        [7, 3],
      ] as const) {
        // prettier-ignore
        await later(minutes);
        await task.runOnce();
        expect(asked).toHaveBeenCalledTimes(calls);
      }
    });

    it('counts a failure as unknown, and undoes what the failed handler wrote', async () => {
      await outbox.prepare(GiftSent, gift('a'));
      const task = checkBack(() => 'unknown');
      task.answer('gift.sent', async (_, transaction) => {
        await transaction.query({ text: `insert into ${spec.schema}.gift values ('written')` });
        throw new Error('no');
      });
      await later(2);
      await task.runOnce();
      expect(await outbox.prepared.undecided()).toHaveLength(1);
      expect(await spec.dataSource.query(`select * from ${spec.schema}.gift`)).toEqual([]);
    });

    it('is dead-lettered when the answers are worn out, never dropped', async () => {
      await outbox.prepare(GiftSent, gift('a'), { id: 'a' });
      const task = checkBack(() => 'unknown', { checks: 2 });
      await later(2);
      await task.runOnce();
      expect(spec.sink.letters).toEqual([]);
      await later(60);
      await task.runOnce();
      expect(spec.sink.letters).toMatchObject([
        { message: { id: 'a' }, direction: 'outbound', place: 'main/gift.sent', attempts: 2, reason: /undecided/ },
      ]);
      await expect(outbox.prepared.commit('a')).rejects.toThrow(/found dead-lettered; .*redrive/);
    });

    it('stays undecided while its dead letter cannot be stored', async () => {
      await outbox.prepare(GiftSent, gift('a'));
      const away = { bury: () => Promise.reject(new Error('away')) };
      await later(2);
      await checkBack(() => 'unknown', { checks: 1, deadLetters: away }).runOnce();
      expect(await outbox.prepared.undecided()).toHaveLength(1);
    });

    it('is decided once when a late commit and an answer meet: the commit waits for the answer', async () => {
      const prepared = await outbox.prepare(GiftSent, gift('a'), { id: 'a' });
      await later(2);
      let late: Promise<unknown> = Promise.resolve();
      const task = checkBack(async (): Promise<CheckBackAnswer> => {
        let decided = false;
        late = prepared.commit().then(
          () => (decided = true),
          (thrown: unknown) => thrown,
        );
        await until('the commit waits for the answer', async () => decided || (await commitWaits()));
        return 'rollback';
      });
      await task.runOnce();
      expect(await late).toBeInstanceOf(PreparedDecisionError);
      expect(await logged()).toEqual([]);
    });

    it('is left alone while its commit is under way', async () => {
      const prepared = await outbox.prepare(GiftSent, gift('a'), { id: 'a' });
      await later(2);
      const asked = jest.fn<CheckBackAnswer, []>(() => 'rollback');
      await spec.dataSource.transaction(async (manager) => {
        await prepared.commit(manager);
        await checkBack(asked).runOnce();
      });
      expect(asked).not.toHaveBeenCalled();
      expect(await logged()).toEqual(['a']);
    });

    it('is asked for by one of two processes', async () => {
      for (let n = 0; n < 60; n++) await outbox.prepare(GiftSent, gift(`${n}`));
      await later(2);
      const asked = jest.fn<CheckBackAnswer, []>(() => 'commit');
      await Promise.all([checkBack(asked).runOnce(), checkBack(asked).runOnce()]);
      await checkBack(asked).runOnce();
      expect(asked).toHaveBeenCalledTimes(60);
      expect(new Set(await logged()).size).toBe(60);
    });
  });

  it('forgets old decisions, and tells of messages that nobody asks for', async () => {
    const decided = await outbox.prepare(GiftSent, gift('a'), { id: 'a' });
    await decided.commit();
    await outbox.prepare(GiftSent, gift('b'), { id: 'b' });
    expect(await checkBack(() => 'unknown').reclaim()).toMatchObject({ detail: { forgotten: 0, unasked: 0 } });
    await later(8 * 24 * 60);
    expect(await checkBack(() => 'unknown').reclaim()).toMatchObject({ detail: { forgotten: 1, unasked: 1 } });
  });

  it('finds what is due, undecided or old by an index, whatever has been decided before', async () => {
    await spec.dataSource.query(
      `insert into ${spec.schema}.prepared (source, message_id, status, decided_at, check_at, transports, optional, type, version, topic,
         content_type, payload, headers)
       select 's', n::text, 'committed', now() - n * interval '1 second', now(), '{main}', false, 'gift.sent', 1, 'gift.sent', 'x', '', '{}'
         from generate_series(1, 5000) n`,
    );
    await spec.dataSource.query(`analyze ${spec.schema}.prepared`);
    for (const [predicate, index] of [
      [`status = 'undecided' and check_at <= now() order by check_at limit 50`, 'prepared_undecided'],
      [
        `status <> 'undecided' and decided_at < now() - interval '80 minutes' order by decided_at limit 100`,
        'prepared_decided',
      ],
    ] as const) {
      // prettier-ignore
      const plan = await spec.dataSource.query(`explain select * from ${spec.schema}.prepared where ${predicate}`);
      expect(JSON.stringify(plan)).toContain(index);
      expect(JSON.stringify(plan)).not.toMatch(/Seq Scan|Sort/);
    }
  });
});

import { Injectable } from '@nestjs/common';
import { type MessageContext, type ReclaimReport } from '@tidings/core';
import { managerOf } from '@tidings/database';
import type { CheckBackAnswer } from '@tidings/outbox';
import type { ReclaimScheduler } from '@tidings/reclaim';
import { describeOn, server, until } from '@tidings/testing';
import { getReclaimToken } from './decorators/inject-reclaim.decorator';
import { OnCheckBack } from './decorators/on-check-back.decorator';
import { OnMessage } from './decorators/on-message.decorator';
import { SpecGround } from './handling/spec-ground.fixture';
import { MessagingConfigurationError } from './messaging.errors';
import { boot, closeAll, type Gift, GiftSent, inMemory, rose } from './test-application.fixture';

let handled: string[];
let asked: string[];
/** Payments that the provider cannot tell of yet. */
let pending: Set<string>;

@Injectable()
class Payments {
  @OnCheckBack(GiftSent)
  async checkBack(gift: Gift, context: MessageContext): Promise<CheckBackAnswer> {
    expect(gift).toEqual(rose);
    const { id } = context.message;
    asked.push(id);
    if (pending.has(id)) return 'unknown';
    const paid = await managerOf(context).query<unknown[]>('select from payment where id = $1', [id]);
    return paid.length > 0 ? 'commit' : 'rollback';
  }

  @OnMessage(GiftSent, { group: 'ranking' })
  rank(_: Gift, { message }: MessageContext): void {
    handled.push(message.id);
  }
}

@Injectable()
class Twin {
  @OnCheckBack(GiftSent)
  checkBack(): CheckBackAnswer {
    return 'unknown';
  }
}

const patient = { withinMs: 30_000 };

describe.each(['postgres', 'rabbitmq'] as const)('over %s', (kind) => {
  describeOn(kind, 'an application that prepares messages', () => {
    let ground: SpecGround;

    beforeEach(async () => {
      [handled, asked, pending] = [[], [], new Set()];
      ground = await SpecGround.at(server('postgres')!);
      await ground.query('create table payment (id text primary key)');
    });
    afterEach(async () => {
      await closeAll();
      await ground.close();
    });

    const start = async (afterMs: number) => {
      const store = ground.store('typeorm');
      const transport = ground.transport(kind, store, { [GiftSent.topic]: 'ranking' });
      const checkBack = { afterMs, everyMs: 20 };
      const { outbox } = await ground.start(store, transport, [Payments], { checkBack });
      const prepare = (id: string) => outbox.prepare(GiftSent, rose, { id });
      const pay = (id: string) => ground.query('insert into payment values ($1)', [id]);
      const decided = () => until('all are decided', async () => (await outbox.prepared.undecided()).length === 0, patient); // prettier-ignore
      /** A message that comes behind all that was committed before. */
      const handledAll = async (): Promise<string[]> => {
        await store.run((transaction) => outbox.within(transaction).publish(GiftSent, rose, { id: 'last' }));
        await until('the last one', () => handled.includes('last'), patient);
        return handled;
      };
      return { outbox, prepare, pay, decided, handledAll };
    };

    it('sends what was committed, once, and never what was rolled back', async () => {
      const { prepare, handledAll, outbox } = await start(60_000);
      await (await prepare('undone')).rollback();
      const kept = await prepare('kept');
      await kept.commit();
      await kept.commit();
      expect(await handledAll()).toEqual(['kept', 'last']);
      expect([asked, await outbox.prepared.undecided()]).toEqual([[], []]);
    });

    it('is asked for those it did not decide, by its business data, and what is committed is handled', async () => {
      const { prepare, pay, decided, handledAll } = await start(50);
      await prepare('unpaid');
      await pay('paid');
      await prepare('paid');
      await decided();
      await until('the paid gift is handled', () => handled.includes('paid'), patient);
      expect(await handledAll()).toEqual(['paid', 'last']);
      expect(asked.sort()).toEqual(['paid', 'unpaid']);
    });

    it('is asked again while it cannot tell, and what it tells then counts', async () => {
      const { prepare, pay, decided, handledAll } = await start(50);
      pending = new Set(['late', 'never']);
      await prepare('late');
      await prepare('never');
      const times = (id: string): number => asked.filter((one) => one === id).length;
      await until('both were asked for twice', () => times('late') >= 2 && times('never') >= 2, patient);
      expect(handled).toEqual([]);
      await pay('late');
      pending.clear();
      await decided();
      await until('the late one is handled', () => handled.includes('late'), patient);
      expect(await handledAll()).toEqual(['late', 'last']);
    });
  });
});

describeOn('postgres', 'the options of an application that prepares messages', (url) => {
  let ground: SpecGround;
  beforeAll(async () => {
    ground = await SpecGround.at(url);
  });
  afterEach(closeAll);
  afterAll(() => ground.close());

  it("runs the application's own Reclaimers with Tidings'", async () => {
    const mine = {
      name: 'mine',
      reclaim: (): Promise<ReclaimReport> => Promise.resolve({ name: 'mine', reclaimed: 2 }),
    };
    const store = ground.store();
    const transport = ground.transport('memory', store, {});
    const { app } = await ground.start(store, transport, [Payments], { reclaim: { reclaimers: [mine] } });
    const reports = await app.get<ReclaimScheduler>(getReclaimToken()).run();
    expect(reports).toEqual(expect.arrayContaining([{ name: 'mine', reclaimed: 2 }]));
    expect(reports.map(({ name }) => name)).toContain('prepared messages');
  });

  it('does not start with two methods that answer for one contract', async () => {
    const store = ground.store();
    const booting = ground.start(store, ground.transport('memory', store, {}), [Payments, Twin]);
    await expect(booting).rejects.toThrow(MessagingConfigurationError);
    await expect(booting).rejects.toThrow(/found Payments.checkBack and Twin.checkBack/);
  });

  it('does not start with a bad option, and names it', async () => {
    const bad = (more: Parameters<typeof inMemory>[0]) => boot(inMemory({ stores: { default: ground.store() }, ...more })); // prettier-ignore
    await expect(bad({ checkBack: { afterMs: 0 } })).rejects.toThrow(/messaging\.checkBack\.afterMs/);
    const reclaim = { reclaimers: [{} as never] };
    await expect(bad({ reclaim })).rejects.toThrow(/messaging\.reclaim\.reclaimers\.0: expected a Reclaimer/);
  });
});

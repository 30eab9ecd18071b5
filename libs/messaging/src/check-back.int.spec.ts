import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type MessageContext, quoted, type ReclaimReport, silentLogger, type Store } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import { memory, MemoryBroker } from '@tidings/memory';
import type { CheckBackAnswer, Outbox } from '@tidings/outbox';
import type { ReclaimScheduler } from '@tidings/reclaim';
import { describeOn, until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { getOutboxToken } from './decorators/inject-outbox.decorator';
import { getReclaimToken } from './decorators/inject-reclaim.decorator';
import { OnCheckBack } from './decorators/on-check-back.decorator';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingConfigurationError } from './messaging.errors';
import type { MessagingOptions } from './messaging.options';
import { boot, closeAll, type Gift, GiftSent, rose } from './test-application.fixture';

let handled: string[];

@Injectable()
class Payments {
  @OnCheckBack(GiftSent)
  async checkBack(gift: Gift, context: MessageContext): Promise<CheckBackAnswer> {
    expect(gift).toEqual(rose);
    const paid = await managerOf(context).query<unknown[]>('select from payment where id = $1', [context.message.id]);
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

describeOn('postgres', 'an application that prepares messages', (url) => {
  const schema = `check_back_${randomBytes(4).toString('hex')}`;
  let dataSource: DataSource;
  let store: Store;

  beforeAll(async () => {
    dataSource = new DataSource({ type: 'postgres', url, extra: { options: `-c search_path=${schema}` } });
    await dataSource.initialize();
    await dataSource.query(`create schema ${quoted(schema)}`);
    await dataSource.query('create table payment (id text primary key)');
  });
  beforeEach(() => {
    handled = [];
    store = typeorm(dataSource, { schema });
  });
  afterEach(closeAll);
  afterAll(async () => {
    await dataSource.query(`drop schema ${quoted(schema)} cascade`);
    await dataSource.destroy();
  });

  const options = (more: Partial<MessagingOptions> = {}): MessagingOptions => ({
    source: 'spec',
    stores: { default: store },
    transports: { main: memory({ broker: new MemoryBroker() }) },
    migrate,
    logger: silentLogger,
    checkBack: { afterMs: 50, everyMs: 20 },
    ...more,
  });

  it('is asked for those it did not decide, by its business data, and what is committed is handled', async () => {
    const app = await boot(options(), { providers: [Payments] });
    const outbox = app.get<Outbox>(getOutboxToken());
    await outbox.prepare(GiftSent, rose, { id: 'unpaid' });
    await dataSource.query(`insert into payment values ('paid')`);
    await outbox.prepare(GiftSent, rose, { id: 'paid' });
    await until('the paid gift is handled', () => handled.includes('paid'));
    await until('all are decided', async () => (await outbox.prepared.undecided()).length === 0);
    expect(handled).toEqual(['paid']);
  });

  it("runs the application's own Reclaimers with Tidings'", async () => {
    const mine = {
      name: 'mine',
      reclaim: (): Promise<ReclaimReport> => Promise.resolve({ name: 'mine', reclaimed: 2 }),
    };
    const app = await boot(options({ reclaim: { reclaimers: [mine] } }), { providers: [Payments] });
    const reports = await app.get<ReclaimScheduler>(getReclaimToken()).run();
    expect(reports).toEqual(expect.arrayContaining([{ name: 'mine', reclaimed: 2 }]));
    expect(reports.map(({ name }) => name)).toContain('prepared messages');
  });

  it('does not start with two methods that answer for one contract', async () => {
    const booting = boot(options(), { providers: [Payments, Twin] });
    await expect(booting).rejects.toThrow(MessagingConfigurationError);
    await expect(booting).rejects.toThrow(/found Payments.checkBack and Twin.checkBack/);
  });

  it('does not start with a bad option, and names it', async () => {
    await expect(boot(options({ checkBack: { afterMs: 0 } }))).rejects.toThrow(/messaging\.checkBack\.afterMs/);
    const reclaim = { reclaimers: [{} as never] };
    await expect(boot(options({ reclaim }))).rejects.toThrow(/messaging\.reclaim\.reclaimers\.0: expected a Reclaimer/);
  });
});

import { randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { migrate, typeorm } from '@tidings/database';
import { memory } from '@tidings/memory';
import { getOutboxToken, MessagingModule, type Outbox } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { DataSource } from 'typeorm';
import { Operator, PaymentCheckBack, PaymentProvider, StaleUploads, TakePayment } from '../../docs/snippets/prepared-payment'; // prettier-ignore

// What docs/reclaim.md shows has run, against a provider that takes the money and does not answer.
describeOn('postgres', "docs/reclaim.md's payment", (url) => {
  it('is told once the provider has taken it, and never when it has not', async () => {
    const schema = `docs_reclaim_${randomUUID().slice(0, 8)}`;
    const dataSource = new DataSource({ type: 'postgres', url, extra: { options: `-c search_path=${schema}` } });
    await dataSource.initialize();
    await dataSource.query(`create schema ${schema}`);
    await dataSource.query('create table payment (id text primary key)');
    const taken = new Set<string>();
    let known = false;
    const provider: PaymentProvider = {
      take: (id) => {
        if (id !== 'refused') taken.add(id);
        return id === 'paid' ? Promise.resolve() : Promise.reject(new Error('no answer'));
      },
      wasTaken: (id) => Promise.resolve(known ? taken.has(id) : undefined),
    };
    const messaging = MessagingModule.forRoot({
      source: 'docs',
      stores: { default: typeorm(dataSource, { schema }) },
      transports: { main: memory() },
      migrate,
      checkBack: { afterMs: 20, everyMs: 10 },
      reclaim: { reclaimers: [new StaleUploads()] },
    });
    @Module({
      imports: [messaging],
      providers: [TakePayment, PaymentCheckBack, Operator, { provide: PaymentProvider, useValue: provider }],
    })
    class DocsModule {}
    const app = await NestFactory.createApplicationContext(DocsModule, { logger: false });
    try {
      await app.get(TakePayment).take('paid', 5);
      for (const id of ['lost answer', 'refused']) await expect(app.get(TakePayment).take(id, 5)).rejects.toThrow();
      const { prepared } = app.get<Outbox>(getOutboxToken());
      await until('both were asked for in vain', async () => {
        const undecided = await prepared.undecided();
        return undecided.length === 2 && undecided.every(({ checks }) => checks > 0);
      });
      known = true;
      await until('both are decided', async () => (await prepared.undecided()).length === 0);
      expect(await dataSource.query(`select id from payment`)).toEqual([{ id: 'lost answer' }]);
      const sent = await dataSource.query<unknown[]>(`select from message`);
      expect(sent).toHaveLength(2);
      expect(await app.get(Operator).takeBackNow()).toBe(0);
    } finally {
      await app.close();
      await dataSource.query(`drop schema ${schema} cascade`);
      await dataSource.destroy();
    }
  });
});

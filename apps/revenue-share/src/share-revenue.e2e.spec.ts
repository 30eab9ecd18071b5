import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { GiftSent, type LedgerEntryView } from '@tidings/gift-contracts';
import { createDemoDatabase, type DemoDatabase, platformConfig } from '@tidings/gift-platform';
import { getOutboxToken, type Outbox } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { AppModule } from './app.module';

describeOn('postgres', 'revenue-share', (server) => {
  let database: DemoDatabase;
  let app: INestApplication;

  beforeEach(async () => {
    database = await createDemoDatabase(server);
    const config = platformConfig({ DATABASE_URL: database.url });
    const testing = await Test.createTestingModule({ imports: [AppModule.register(config)] }).compile();
    app = await testing.createNestApplication({ logger: false }).init();
  });

  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const get = (path: string) => request(app.getHttpServer()).get(path);

  async function give(streamerId: string, amountMinor: number, giftId = randomUUID(), ordinal = 1): Promise<void> {
    const outbox = app.get<Outbox>(getOutboxToken());
    const gift = { giftId, roomId: 'lofi', streamerId, viewerId: 'ann', gift: 'rose', quantity: 1, amountMinor };
    const sent = { ...gift, ordinal, sentAt: '2026-01-01T00:00:00.000Z' };
    await app.get(DataSource).transaction((manager) => outbox.within(manager).publish(GiftSent, sent, { id: giftId }));
  }

  it('books two entries a gift, also when the gift is published twice', async () => {
    const giftId = randomUUID();
    await give('mika', 1_999, giftId);
    await give('mika', 1_999, giftId);
    await give('amara', 1);
    await until('both gifts are booked', async () => (await get('/totals')).body.entries === 4);
    expect((await get('/streamers/mika/revenue')).body).toEqual({
      streamerId: 'mika',
      gifts: 1,
      amountMinor: 1_199,
      platformMinor: 800,
    });
    expect((await get('/streamers/amara/revenue')).body).toMatchObject({ gifts: 1, amountMinor: 0, platformMinor: 1 });
    expect((await get('/totals')).body.amountMinor).toBe(2_000);
  });

  it('gives the ledger out by pages, and whole as NDJSON', async () => {
    for (let n = 0; n < 3; n++) await give('mika', 10);
    await until('all gifts are booked', async () => (await get('/totals')).body.entries === 6);
    const first = (await get('/ledger?limit=4')).body;
    expect(first.entries).toHaveLength(4);
    const second = (await get(`/ledger?limit=4&after=${first.next}`)).body;
    expect(second).toMatchObject({ next: null });
    const whole = await get('/ledger?format=ndjson').buffer(true);
    expect(whole.headers['content-type']).toBe('application/x-ndjson');
    const lines = whole.text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as LedgerEntryView)).toEqual([...first.entries, ...second.entries]);
  });
});

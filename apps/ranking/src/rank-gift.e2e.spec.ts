import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { GiftSent } from '@tidings/gift-contracts';
import { createDemoDatabase, type DemoDatabase, platformConfig } from '@tidings/gift-platform';
import { getOutboxToken, type Outbox } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { AppModule } from './app.module';

describeOn('postgres', 'ranking', (server) => {
  let database: DemoDatabase;
  let app: INestApplication;

  beforeEach(async () => {
    database = await createDemoDatabase(server);
    const config = platformConfig({ DATABASE_URL: database.url, DEMO_HISTORY: '1', DEMO_RUN: 'spec' });
    const testing = await Test.createTestingModule({ imports: [AppModule.register(config)] }).compile();
    app = await testing.createNestApplication({ logger: false }).init();
  });

  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const get = async (path: string) => (await request(app.getHttpServer()).get(path)).body;

  async function give(viewerId: string, amountMinor: number, ordinal: number, id = randomUUID()): Promise<void> {
    const outbox = app.get<Outbox>(getOutboxToken());
    const gift = { giftId: id, roomId: 'lofi', streamerId: 'mika', viewerId, gift: 'rose', quantity: 1, amountMinor };
    const sent = { ...gift, ordinal, sentAt: '2026-01-01T00:00:00.000Z' };
    await app.get(DataSource).transaction((manager) => outbox.within(manager).publish(GiftSent, sent, { id }));
  }

  it('ranks the viewers of a room by what they gave', async () => {
    await give('ann', 10, 1);
    await give('bob', 50, 2);
    await give('ann', 100, 3);
    await until('all gifts are ranked', async () => (await get('/totals')).gifts === 3);
    expect(await get('/rooms/lofi/ranking')).toEqual({
      roomId: 'lofi',
      top: [
        { viewerId: 'ann', gifts: 2, amountMinor: 110 },
        { viewerId: 'bob', gifts: 1, amountMinor: 50 },
      ],
    });
    expect((await get('/rooms/lofi/ranking?top=1')).top).toHaveLength(1);
    expect(await get('/rooms/empty/ranking')).toEqual({ roomId: 'empty', top: [] });
  });

  it('counts a message that is published twice once, and its history tells of both deliveries', async () => {
    const id = randomUUID();
    await give('ann', 10, 1, id);
    await give('ann', 10, 1, id);
    await give('bob', 5, 2);
    await until('the other gift is ranked', async () => (await get('/totals')).totals.length === 2);
    expect(await get('/totals')).toMatchObject({ gifts: 2, amountMinor: 15 });
    const history: { event: string; count: string }[] = await app
      .get(DataSource)
      .query("select event, count(*) from demo.history where run = 'spec' and message_id = $1 group by event", [id]);
    expect(Object.fromEntries(history.map(({ event, count }) => [event, Number(count)]))).toEqual({
      delivered: 2,
      handling: 1,
      settled: 2,
    });
  });
});

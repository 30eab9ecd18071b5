import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { systemClock, timestampOf } from '@tidings/core';
import { createDemoDatabase, type DemoDatabase, platformConfig } from '@tidings/gift-platform';
import { Confirmed, MessagePublisher, Recheck, Subscribed } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { AppModule } from './app.module';

describeOn('postgres', 'callback-service', (server) => {
  let database: DemoDatabase;
  let app: INestApplication;

  beforeEach(async () => {
    database = await createDemoDatabase(server);
    const config = platformConfig({ DATABASE_URL: database.url, DEMO_CALLBACK: '1' });
    const testing = await Test.createTestingModule({ imports: [AppModule.register(config)] }).compile();
    app = await testing.createNestApplication({ logger: false }).init();
  });
  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const get = async (path: string) => (await request(app.getHttpServer()).get(path)).body;

  it('looks after messages of whichever service, and tells of them', async () => {
    const publisher = app.get(MessagePublisher);
    const time = timestampOf(systemClock.now());
    const about = { id: 'order 1', source: 'shop', type: 'order.placed', bucket: time.slice(0, 10) };
    const since = '2026-01-01T00:00:00.000Z';
    await publisher.publish(Subscribed, { subscriptions: [{ type: 'order.placed', group: 'packing' }], since });
    await until('packing is expected', async () => (await get('/callback/subscriptions')).length === 1);
    expect(await get('/callback/subscriptions')).toEqual([{ type: 'order.placed', group: 'packing', since }]);

    const recheck = { ...about, topic: 'order.placed', key: null, time, headers: {}, transaction: null, groups: null };
    await publisher.publish(Recheck, { ...recheck, afterMs: 60_000 });
    await until('the recheck has come', async () => (await get('/callback/measures')).rechecks === 1);
    expect((await get('/callback/measures')).unconfirmed).toEqual({ messages: 1, byGroup: { packing: 1 } });

    const confirmation = { ...about, group: 'packing', sentAt: time, at: time, copy: false };
    await publisher.publish(Confirmed, { confirmations: [confirmation] });
    await until('it is confirmed', async () => (await get('/callback/measures')).unconfirmed.messages === 0);
    expect(await get('/callback/measures')).toMatchObject({
      resends: 0,
      wornOut: 0,
      latency: [{ group: 'packing', confirmations: 1 }],
    });
  });
});

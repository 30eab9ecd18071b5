import { type INestApplication, Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { BadgeUpgraded, GiftSent } from '@tidings/gift-contracts';
import { createDemoDatabase, type DemoDatabase, platformConfig } from '@tidings/gift-platform';
import { getOutboxToken, OnMessage, type Outbox } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { AppModule } from './app.module';

/** Stands for room-gateway. */
@Injectable()
class Probe {
  readonly heard: BadgeUpgraded[] = [];

  @OnMessage(BadgeUpgraded, { group: 'probe', ordered: true })
  hear(badge: BadgeUpgraded): void {
    this.heard.push(badge);
  }
}

describeOn('postgres', 'badges', (server) => {
  let database: DemoDatabase;
  let app: INestApplication;

  beforeEach(async () => {
    database = await createDemoDatabase(server);
    const config = platformConfig({ DATABASE_URL: database.url });
    const testing = await Test.createTestingModule({
      imports: [AppModule.register(config)],
      providers: [Probe],
    }).compile();
    app = await testing.createNestApplication({ logger: false }).init();
  });

  afterEach(async () => {
    await app.close();
    await database.drop();
  });

  const get = async (path: string) => (await request(app.getHttpServer()).get(path)).body;

  async function give(viewerId: string, amountMinor: number, giftId = randomUUID()): Promise<void> {
    const outbox = app.get<Outbox>(getOutboxToken());
    const gift = { giftId, roomId: 'lofi', streamerId: 'mika', viewerId, gift: 'rose', quantity: 1, amountMinor };
    const sent = { ...gift, ordinal: 1, sentAt: '2026-01-01T00:00:00.000Z' };
    await app.get(DataSource).transaction((manager) => outbox.within(manager).publish(GiftSent, sent, { id: giftId }));
  }

  it('publishes each level that a viewer reaches, once', async () => {
    const giftId = randomUUID();
    await give('ann', 490);
    await give('ann', 20, giftId);
    await give('ann', 20, giftId);
    await give('bob', 60_000);
    const probe = app.get(Probe);
    await until('both badges are heard of', () => probe.heard.length === 2);
    expect([...probe.heard].sort((a, b) => a.level - b.level)).toEqual([
      { viewerId: 'ann', roomId: 'lofi', level: 1, badge: 'bronze', amountMinor: 510 },
      { viewerId: 'bob', roomId: 'lofi', level: 4, badge: 'platinum', amountMinor: 60_000 },
    ]);
    expect(await get('/viewers/ann/badge')).toEqual({
      viewerId: 'ann',
      gifts: 2,
      amountMinor: 510,
      level: 1,
      badge: 'bronze',
      toNextMinor: 1_990,
    });
  });

  it('counts concurrent gifts of one viewer all', async () => {
    await Promise.all(Array.from({ length: 15 }, () => give('ann', 100)));
    await until('all gifts are counted', async () => (await get('/totals')).gifts === 15);
    expect(await get('/totals')).toMatchObject({ amountMinor: 1_500 });
    expect((await get('/viewers')).map((viewer: { viewerId: string }) => viewer.viewerId)).toEqual(['ann']);
    expect(app.get(Probe).heard.filter((badge) => badge.level === 1)).toHaveLength(1);
  });

  it('knows a viewer who never gave anything', async () => {
    expect(await get('/viewers/nobody/badge')).toMatchObject({ gifts: 0, level: 0, badge: 'none', toNextMinor: 500 });
  });
});

import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { DataSource } from 'typeorm';
import { BadgeUpgraded, GiftSent, RankingChanged } from '@tidings/gift-contracts';
import { createDemoDatabase, type DemoDatabase, platformConfig } from '@tidings/gift-platform';
import { getOutboxToken, type Outbox } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { AppModule } from './app.module';

describeOn('postgres', 'room-gateway', (server) => {
  let database: DemoDatabase;
  let gateways: INestApplication[];
  let screens: Socket[];

  beforeEach(async () => {
    database = await createDemoDatabase(server);
    [gateways, screens] = [[], []];
    for (let n = 0; n < 2; n++) gateways.push(await start());
  });

  afterEach(async () => {
    screens.forEach((screen) => screen.disconnect());
    await Promise.all(gateways.map((gateway) => gateway.close()));
    await database.drop();
  });

  async function start(): Promise<INestApplication> {
    const config = platformConfig({ DATABASE_URL: database.url });
    const testing = await Test.createTestingModule({ imports: [AppModule.register(config)] }).compile();
    const gateway = testing.createNestApplication({ logger: false });
    await gateway.listen(0);
    return gateway;
  }

  /** A screen of a room at one gateway, and what it hears. */
  async function screenOf(
    gateway: INestApplication,
    roomId: string,
  ): Promise<{ heard: [string, object][]; screen: Socket }> {
    const { port } = gateway.getHttpServer().address() as AddressInfo;
    const screen = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] });
    screens.push(screen);
    const heard: [string, object][] = [];
    screen.onAny((event: string, payload: object) => heard.push([event, payload]));
    expect(await screen.emitWithAck('join', { roomId })).toEqual({ roomId });
    return { heard, screen };
  }

  it('shows what happens in a room on its screens at every gateway, and on no others', async () => {
    const [here, there, elsewhere] = await Promise.all([
      screenOf(gateways[0]!, 'lofi'),
      screenOf(gateways[1]!, 'lofi'),
      screenOf(gateways[0]!, 'chess'),
    ]);
    const gift = {
      giftId: randomUUID(),
      roomId: 'lofi',
      streamerId: 'mika',
      viewerId: 'ann',
      gift: 'rose',
      quantity: 1,
    };
    const sent = { ...gift, amountMinor: 10, ordinal: 1, sentAt: '2026-01-01T00:00:00.000Z' };
    const ranking = { roomId: 'lofi', top: [{ viewerId: 'ann', amountMinor: 10, gifts: 1 }] };
    const badge = { viewerId: 'ann', roomId: 'lofi', level: 1, badge: 'bronze', amountMinor: 500 };
    await gateways[0]!.get(DataSource).transaction(async (manager) => {
      const outbox = gateways[0]!.get<Outbox>(getOutboxToken()).within(manager);
      await outbox.publish(GiftSent, sent);
      await outbox.publish(RankingChanged, ranking);
      await outbox.publish(BadgeUpgraded, badge);
    });
    await until('both screens show all', () => here.heard.length === 3 && there.heard.length === 3);
    for (const { heard } of [here, there]) {
      expect(Object.fromEntries(heard)).toEqual({ gift: sent, ranking, badge });
    }
    expect(elsewhere.heard).toEqual([]);
  });

  it('tells a client that names no room', async () => {
    const { screen } = await screenOf(gateways[0]!, 'lofi');
    expect(await screen.emitWithAck('join', { room: 'lofi' })).toEqual({
      error: 'expected { roomId }, found {"room":"lofi"}',
    });
    expect(await screen.emitWithAck('leave', { roomId: 'lofi' })).toEqual({ roomId: 'lofi' });
  });
});

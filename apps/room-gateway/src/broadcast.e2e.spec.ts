import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { DataSource } from 'typeorm';
import { BROKERS } from '@tidings/brokers';
import { accept, type Message, type Transport } from '@tidings/core';
import { BadgeUpgraded, GiftSent, RankingChanged } from '@tidings/gift-contracts';
import { createDemoDatabase, type DemoDatabase, platformConfig } from '@tidings/gift-platform';
import { getOutboxToken, type Outbox } from '@tidings/messaging';
import { describeOn, until } from '@tidings/testing';
import { AppModule } from './app.module';

/** `environment`: of a transport beside the database; the last line of each test is that the screens are told by it. */
function roomGateway(server: string, environment: Readonly<Record<string, string>>): void {
  const prefix = `rooms-${randomUUID().slice(0, 8)}`;
  let database: DemoDatabase;
  let gateways: INestApplication[];
  let screens: Socket[];
  let listening: Transport[];

  beforeEach(async () => {
    database = await createDemoDatabase(server);
    [gateways, screens, listening] = [[], [], []];
    for (let n = 0; n < 2; n++) gateways.push(await start());
  });

  afterEach(async () => {
    screens.forEach((screen) => screen.disconnect());
    await Promise.all([...gateways, ...listening].map((one) => one.close()));
    await database.drop();
  });

  async function start(): Promise<INestApplication> {
    const config = platformConfig({ DATABASE_URL: database.url, TIDINGS_PREFIX: prefix, ...environment });
    const testing = await Test.createTestingModule({ imports: [AppModule.register(config)] }).compile();
    const gateway = testing.createNestApplication({ logger: false });
    await gateway.listen(0);
    return gateway;
  }

  /** What anybody hears who listens to the gifts at the broker. */
  async function listen(url: string, ownPrefix: string): Promise<Message[]> {
    const transport = await BROKERS.mqtt.open({ url, prefix: ownPrefix });
    listening.push(transport);
    const heard: Message[] = [];
    const { topic } = GiftSent;
    await transport.subscribe(
      { topic, group: 'listener', ordered: false, broadcast: true, concurrency: 1, from: 'now' },
      async ({ message }) => (heard.push(message), accept),
    );
    return heard;
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
    const byMqtt = environment['MQTT_URL'] === undefined ? undefined : await listen(environment['MQTT_URL'], prefix);
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
    if (byMqtt) await until('the gift went by MQTT', () => byMqtt.some(({ type }) => type === GiftSent.type));
  });

  it('tells a client that names no room', async () => {
    const { screen } = await screenOf(gateways[0]!, 'lofi');
    expect(await screen.emitWithAck('join', { room: 'lofi' })).toEqual({
      error: 'expected { roomId }, found {"room":"lofi"}',
    });
    expect(await screen.emitWithAck('leave', { roomId: 'lofi' })).toEqual({ roomId: 'lofi' });
  });
}

describeOn('postgres', 'room-gateway', (server) => {
  roomGateway(server, {});

  describeOn('mqtt', 'with all messages by MQTT', (MQTT_URL) =>
    roomGateway(server, { TIDINGS_TRANSPORT: 'mqtt', MQTT_URL }),
  );
  describeOn('mqtt', 'with the rooms on MQTT and all else in the database', (MQTT_URL) =>
    roomGateway(server, { TIDINGS_ROOMS_TRANSPORT: 'mqtt', MQTT_URL }),
  );
});

import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Store, Transport } from '@tidings/core';
import { managerOf, migrate, typeorm } from '@tidings/database';
import {
  defineMessage,
  type MessageContext,
  MessagingModule,
  OnMessage,
  Outbox,
  type PayloadOf,
  route,
} from '@tidings/messaging';
import { DataSource } from 'typeorm';
import { z } from 'zod';

/**
 * A whole application in one file: a gift is saved and published in one transaction, and its handler takes effect once although it is published
 * twice. scripts/packages.mjs compiles and runs it against the packed packages, under each major version of Nest, once with each `on-….ts`.
 */
const GiftSent = defineMessage('gift.sent', {
  schema: z.object({ room: z.string(), coins: z.number().int().positive() }),
  key: (gift) => gift.room,
});

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: 'ranking', ordered: true })
  async rank(gift: PayloadOf<typeof GiftSent>, context: MessageContext): Promise<void> {
    await managerOf(context).query('update ranking set coins = coins + $2 where room = $1', [gift.room, gift.coins]);
  }
}

export async function run(transportOf: (store: Store) => Transport): Promise<void> {
  const dataSource = new DataSource({ type: 'postgres', url: process.env['DATABASE_URL']! });
  const store = typeorm(dataSource);
  const messaging = MessagingModule.forRoot({
    source: 'getting-started',
    stores: { default: store },
    transports: { main: transportOf(store) },
    routes: [route('gift.*').to('main')],
    migrate,
  });

  @Module({ imports: [messaging], providers: [RankGift] })
  class AppModule {}

  await dataSource.initialize();
  await dataSource.query('create table gift (room text, coins int)');
  await dataSource.query('create table ranking (room text primary key, coins int)');
  await dataSource.query("insert into ranking values ('lobby', 0)");
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
  const outbox = app.get(Outbox);

  const send = (coins: number, id: string): Promise<void> =>
    dataSource.transaction(async (manager) => {
      await manager.query('insert into gift values ($1, $2)', ['lobby', coins]);
      await outbox.within(manager).publish(GiftSent, { room: 'lobby', coins }, { id });
    });
  const coins = async (): Promise<number> =>
    (await dataSource.query<{ coins: number }[]>('select coins from ranking'))[0]!.coins;

  await send(5, 'rose');
  await send(5, 'rose'); // a caller that tried again
  await send(100, 'rocket'); // of the same key: handled after both
  for (const deadline = AbortSignal.timeout(30_000); (await coins()) < 100;) {
    if (deadline.aborted) throw new Error(`expected 105 coins within 30 s, found ${await coins()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const found = await coins();
  await app.close();
  await dataSource.destroy();
  if (found !== 105) throw new Error(`expected 105 coins, found ${found}: a copy took effect`);
  console.log('handled once');
}

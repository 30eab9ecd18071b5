import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MessageContext, silentLogger, systemClock } from '@tidings/core';
import { managerOf, pg, typeorm } from '@tidings/database';
import { Outbox } from '@tidings/outbox';
import { postgres } from '@tidings/postgres';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { OnMessage } from './decorators/on-message.decorator';
import { MessagingModule } from './messaging.module';
import { type Gift, GiftSent } from './test-application.fixture';

export interface ClockOrders {
  readonly url: string;
  /** Of the service's own tables. */
  readonly schema: string;
  /** Of the broker's: a log in another schema, so that a relay carries messages over. */
  readonly broker: string;
}
/** Publish one gift under this id. */
export interface PublishOrder {
  readonly id: string;
  readonly gift: Gift;
  readonly delayMs?: number;
}
export type ClockReport = { readonly event: 'ready' | 'published'; readonly now: number };

const tell = (event: ClockReport['event']): boolean =>
  process.send!({ event, now: systemClock.now() } satisfies ClockReport);

@Injectable()
class RankGift {
  @OnMessage(GiftSent, { group: 'ranking', ordered: true })
  async rank(gift: Gift, context: MessageContext): Promise<void> {
    await managerOf(context).query('insert into effect (id, room, coins, bucket, pid) values ($1, $2, $3, $4, $5)', [
      context.message.id,
      gift.room,
      gift.coins,
      context.message.bucket,
      process.pid,
    ]);
  }
}

/** An application that relays and handles, in a process of its own whose clock may be wrong. */
async function run({ url, schema, broker }: ClockOrders): Promise<void> {
  const extra = { options: `-c search_path=${schema}` };
  const dataSource = await new DataSource({ type: 'postgres', url, poolSize: 3, extra }).initialize();
  const elsewhere = pg(new Pool({ connectionString: url, max: 1 }), { schema: broker, connections: 2 });

  @Module({
    imports: [
      MessagingModule.forRoot({
        source: 'gift-api',
        stores: { default: typeorm(dataSource, { schema, connections: 2 }) },
        transports: { main: postgres({ store: elsewhere, leaseMs: 2_000 }) },
        relay: { leaseMs: 2_000, pollMs: 500 },
        logger: silentLogger,
      }),
    ],
    providers: [RankGift],
  })
  class ClockModule {}

  const app = await NestFactory.createApplicationContext(ClockModule, { logger: false });
  process.on('message', ({ id, gift, delayMs = 0 }: PublishOrder) => {
    void dataSource
      .transaction((em) => app.get(Outbox).within(em).publish(GiftSent, gift, { id, delayMs }))
      .then(() => tell('published'));
  });
  tell('ready');
}

process.once('message', (orders: ClockOrders) => {
  run(orders).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
});

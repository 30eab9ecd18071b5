import { Injectable, Module } from '@nestjs/common';
import { managerOf, migrate, typeorm } from '@tidings/database';
import {
  type ApplicationDeadLetters,
  defineMessage,
  exponential,
  InjectDeadLetters,
  InjectOutbox,
  type MessageContext,
  MessagingModule,
  NonRetriableError,
  OnMessage,
  type Outbox,
  type PayloadOf,
  route,
} from '@tidings/messaging';
import { postgres } from '@tidings/postgres';
import { rabbitmq } from '@tidings/rabbitmq';
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

// The code that README.md shows, as regions of a file that is compiled, linted and run (test/docs/readme.int.spec.ts).

@Entity('gift')
export class Gift {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  roomId!: string;

  @Column('int')
  coins!: number;
}

@Entity('room')
export class Room {
  @PrimaryColumn('text')
  id!: string;

  @Column('int', { default: 0 })
  coins!: number;
}

// #region contract
export const GiftSent = defineMessage('gift.sent', {
  schema: z.object({ roomId: z.string(), coins: z.number().int().positive() }), // zod, valibot, arktype: any Standard Schema
  key: (gift) => gift.roomId, // gifts of one room stay in order
});
export type GiftSent = PayloadOf<typeof GiftSent>;
// #endregion

@Injectable()
export class SendGift {
  constructor(
    private readonly dataSource: DataSource,
    @InjectOutbox() private readonly outbox: Outbox,
  ) {}

  async send(gift: Gift): Promise<void> {
    const { dataSource, outbox } = this;
    // #region publish
    await dataSource.transaction(async (manager) => {
      await manager.save(Gift, gift);
      await outbox.within(manager).publish(GiftSent, { roomId: gift.roomId, coins: gift.coins });
    });
    // #endregion
  }
}

// #region handler
@Injectable()
export class RankGiftHandler {
  @OnMessage(GiftSent, { group: 'ranking', ordered: true })
  async rank(gift: GiftSent, context: MessageContext): Promise<void> {
    // The inbox's transaction: this effect and the note "handled" commit together, so a copy of the message changes nothing.
    await managerOf(context).increment(Room, { id: gift.roomId }, 'coins', gift.coins);
  }
}
// #endregion

@Injectable()
export class ShareRevenueHandler {
  // #region retry
  @OnMessage(GiftSent, { group: 'revenue', retry: exponential({ attempts: 8, delayMs: 500, maxDelayMs: 60_000 }) })
  async share(gift: GiftSent, context: MessageContext): Promise<void> {
    const room = await managerOf(context).findOneBy(Room, { id: gift.roomId });
    if (!room) throw new NonRetriableError(`no room ${gift.roomId}`); // dead-lettered at once, with the whole story
  }
  // #endregion
}

@Injectable()
export class RepairDesk {
  constructor(@InjectDeadLetters() private readonly deadLetters: ApplicationDeadLetters) {}

  async redriveAll(): Promise<void> {
    const { deadLetters } = this;
    // #region dead-letters
    for (const letter of await deadLetters.list({ limit: 100 })) {
      console.log(letter.id, letter.place, letter.reason); // find(letter.id) has the message and every failure with its stack
      await deadLetters.redrive(letter.id); // to the group that gave up on it, which handles it once more and once only
    }
    // #endregion
  }
}

export const postgresUrl = process.env['DATABASE_URL'] ?? '';
export const rabbitmqUrl = process.env['RABBITMQ_URL'] ?? 'amqp://127.0.0.1';

// #region module
export const dataSource = new DataSource({ type: 'postgres', url: postgresUrl, entities: [Gift, Room] });
const store = typeorm(dataSource);

@Module({
  imports: [
    MessagingModule.forRoot({
      source: 'gift-api', // this service's name, on every message that it publishes
      stores: { default: store },
      transports: { main: postgres({ store }) }, // or rabbitmq({ urls: 'amqp://…' })
      routes: [route('gift.*').to('main')],
      migrate, // creates Tidings' tables at start; leave it out to do that yourself
    }),
  ],
  providers: [{ provide: DataSource, useValue: dataSource }, SendGift, RankGiftHandler],
})
export class AppModule {}
// #endregion

// #region transports
export const onRabbitMq = MessagingModule.forRoot({
  source: 'gift-api',
  stores: { default: store },
  transports: { main: rabbitmq({ urls: rabbitmqUrl }), audit: postgres({ store }) },
  routes: [route('gift.*').to('main'), route('*').to('audit')], // the first that matches counts
  roles: ['publish', 'relay'], // this process runs no handlers
});
// #endregion

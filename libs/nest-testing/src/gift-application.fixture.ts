import { Body, Controller, Injectable, Module, Post } from '@nestjs/common';
import {
  type CheckBackAnswer,
  fixed,
  InjectOutbox,
  MessagingModule,
  type MessageContext,
  NonRetriableError,
  OnCheckBack,
  OnMessage,
  Outbox,
  type PayloadOf,
} from '@tidings/messaging';
import { defineMessage } from '@tidings/core';
import { memory } from '@tidings/memory';
import { pg } from '@tidings/database';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { z } from 'zod';

export const GiftSent = defineMessage('gift.sent', {
  schema: z.object({ room: z.string(), gift: z.string(), coins: z.number() }),
  key: ({ room }) => room,
});
export const RoomClosed = defineMessage('room.closed', { schema: z.object({ room: z.string() }) });
export const PaymentTaken = defineMessage('payment.taken', { schema: z.object({ payment: z.string() }) });

type Gift = PayloadOf<typeof GiftSent>;

/** Publishes in a transaction of the injected DataSource. */
@Injectable()
export class Gifts {
  constructor(
    private readonly dataSource: DataSource,
    @InjectOutbox() private readonly outbox: Outbox,
  ) {}

  send(gift: Gift, delayMs = 0): Promise<void> {
    return this.dataSource.transaction(async (manager) => {
      await this.outbox.within(manager).publish(GiftSent, gift, { delayMs });
      if (gift.coins < 0) throw new Error('no such coins');
    });
  }
}

@Controller('gifts')
export class GiftController {
  constructor(private readonly gifts: Gifts) {}

  @Post()
  send(@Body() gift: Gift): Promise<void> {
    return this.gifts.send(gift);
  }
}

/** Fails as it is told, in two ways. */
@Injectable()
export class Ranking {
  readonly ranked: string[] = [];
  /** Of what was committed. */
  readonly effects: string[] = [];
  failures = 0;
  bombsAllowed = false;
  work: Promise<void> | undefined;

  @OnMessage(GiftSent, {
    group: 'ranking',
    ordered: true,
    retry: fixed({ attempts: 3, immediate: 0, delayMs: 60_000 }),
    dryRun: true,
  })
  async rank({ gift }: Gift, { transaction }: MessageContext): Promise<void> {
    await this.work;
    if (gift === 'bomb' && !this.bombsAllowed) throw new NonRetriableError('no bombs');
    if (this.failures-- > 0) throw new Error('ranking is away');
    this.ranked.push(gift);
    transaction!.afterCommit(() => this.effects.push(gift));
  }

  @OnMessage(RoomClosed, { group: 'ranking', timeoutMs: 5_000, retry: fixed({ attempts: 1, delayMs: 0 }) })
  async close(): Promise<void> {
    await this.work;
  }
}

/** As an application would have it, with servers that are not there. */
const dataSource = {
  provide: DataSource,
  useFactory: () => new DataSource({ type: 'postgres', host: 'nowhere.invalid' }).initialize(),
};

/** A partner that no transaction covers; asked how a payment went, it answers as it is told. */
@Injectable()
export class Payments {
  readonly asked: string[] = [];
  answer: CheckBackAnswer = 'unknown';

  @OnCheckBack(PaymentTaken)
  checkBack({ payment }: PayloadOf<typeof PaymentTaken>): CheckBackAnswer {
    this.asked.push(payment);
    return this.answer;
  }
}

@Module({
  imports: [
    MessagingModule.forRoot({
      source: 'gifts',
      stores: { default: pg(new Pool({ host: 'nowhere.invalid' })) },
      transports: { main: memory({ without: ['durable'] }) },
    }),
  ],
  controllers: [GiftController],
  providers: [dataSource, Gifts, Ranking, Payments],
})
export class GiftModule {}

import { Body, Controller, HttpCode, HttpStatus, Post, UseGuards } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { type GiftReceipt, GiftRequested } from '@tidings/gift-contracts';
import { SchemaPipe } from '@tidings/gift-platform';
import { BacklogGate, InjectOutbox, type Outbox } from '@tidings/messaging';
import { giftOrder, type GiftOrder } from '../gifts/gift-order';
import { IdempotencyKey } from '../gifts/idempotency-key.decorator';

/** For a rush: takes the request as fast as one insert goes, and leaves the room's lock and the gift to `WriteGiftHandler`. */
@Controller('intake/gifts')
export class IntakeController {
  constructor(
    private readonly dataSource: DataSource,
    @InjectOutbox() private readonly outbox: Outbox,
  ) {}

  @Post()
  @HttpCode(HttpStatus.ACCEPTED)
  @UseGuards(BacklogGate)
  async enqueue(
    @Body(new SchemaPipe(giftOrder)) order: GiftOrder,
    @IdempotencyKey() idempotencyKey: string | null,
  ): Promise<GiftReceipt> {
    const requestId = randomUUID();
    await this.dataSource.transaction((manager) =>
      this.outbox.within(manager).publish(GiftRequested, { requestId, ...order, idempotencyKey }),
    );
    return { requestId };
  }
}

import { Body, Controller, Get, Header, HttpStatus, Post, Query, Res, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { DataSource, MoreThan } from 'typeorm';
import { z } from 'zod';
import type { CatalogueEntry, GiftPage, GiftView } from '@tidings/gift-contracts';
import { SchemaPipe } from '@tidings/gift-platform';
import { BacklogGate } from '@tidings/messaging';
import { CATALOGUE } from './catalogue';
import { GiftEntity, viewOf } from './gift.entity';
import { giftOrder, type GiftOrder } from './gift-order';
import { IdempotencyKey } from './idempotency-key.decorator';
import { SendGift } from './send-gift';

const pageQuery = z.object({
  roomId: z.string().optional(),
  /** The `seq` of the last gift already seen. */
  after: z.coerce.number().pipe(z.int().min(0)).default(0),
  limit: z.coerce.number().pipe(z.int().min(1).max(5_000)).default(100),
  newest: z.enum(['true', 'false']).default('false'),
});

@Controller()
export class GiftsController {
  constructor(
    private readonly sendGift: SendGift,
    private readonly dataSource: DataSource,
  ) {}

  @Post('gifts')
  @UseGuards(BacklogGate)
  async send(
    @Body(new SchemaPipe(giftOrder)) order: GiftOrder,
    @IdempotencyKey() key: string | null,
    @Res({ passthrough: true }) response: ServerResponse,
  ): Promise<GiftView> {
    const { gift, replayed } = await this.sendGift.send(order, key);
    if (replayed) {
      response.statusCode = HttpStatus.OK;
      response.setHeader('Idempotency-Replayed', 'true');
    }
    return gift;
  }

  @Get('gifts')
  async list(@Query(new SchemaPipe(pageQuery, 'query')) query: z.output<typeof pageQuery>): Promise<GiftPage> {
    const { roomId, after, limit, newest } = query;
    const gifts = await this.dataSource.manager.find(GiftEntity, {
      where: { seq: MoreThan(after), ...(roomId !== undefined && { roomId }) },
      order: { seq: newest === 'true' ? 'desc' : 'asc' },
      take: limit,
    });
    return { gifts: gifts.map(viewOf), next: gifts.length === limit ? (gifts.at(-1)?.seq ?? null) : null };
  }

  @Get('catalogue')
  @Header('Cache-Control', 'max-age=60')
  catalogue(): readonly CatalogueEntry[] {
    return CATALOGUE;
  }
}

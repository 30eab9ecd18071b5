import { Body, Controller, Get, NotFoundException, Param, Put } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { PointsView, RedemptionView } from '@tidings/gift-contracts';
import { SchemaPipe } from '@tidings/gift-platform';
import { RedeemPoints } from './redeem-points';
import { findRedemption } from './sql/find-redemption';
import { readPoints } from './sql/read-points';

const name = z.string().trim().min(1).max(100);
const wanted = z.strictObject({ viewerId: name, roomId: name, gift: name, points: z.int().min(1) });
const id = z.uuid();

@Controller()
export class RedemptionsController {
  constructor(
    private readonly redeemPoints: RedeemPoints,
    private readonly dataSource: DataSource,
  ) {}

  /** PUT, with the client's id: it may be repeated when its answer got lost. */
  @Put('redemptions/:id')
  redeem(
    @Param('id', new SchemaPipe(id, 'id')) redemptionId: string,
    @Body(new SchemaPipe(wanted)) redemption: z.output<typeof wanted>,
  ): Promise<RedemptionView> {
    return this.redeemPoints.redeem({ redemptionId, ...redemption });
  }

  @Get('redemptions/:id')
  async redemption(@Param('id', new SchemaPipe(id, 'id')) redemptionId: string): Promise<RedemptionView> {
    const found = await findRedemption(this.dataSource.manager, redemptionId);
    if (!found) throw new NotFoundException(`redemption ${redemptionId}: there is none`);
    return found;
  }

  /** A viewer who was never granted any has none; that is an answer, not a 404. */
  @Get('viewers/:id/points')
  async points(@Param('id') viewerId: string): Promise<PointsView> {
    return { viewerId, points: await readPoints(this.dataSource.manager, viewerId) };
  }
}

import { Controller, Get, Param, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { BadgeTotals, BadgeView } from '@tidings/gift-contracts';
import { SchemaPipe } from '@tidings/gift-platform';
import { badgeLevel } from './badge-level';
import { ViewerEntity } from './viewer.entity';

const viewersQuery = z.object({ limit: z.coerce.number().pipe(z.int().min(1).max(10_000)).default(100) });

@Controller()
export class ViewersController {
  constructor(private readonly dataSource: DataSource) {}

  /** A viewer who never gave anything has no badge; that is an answer, not a 404. */
  @Get('viewers/:id/badge')
  async badge(@Param('id') viewerId: string): Promise<BadgeView> {
    const viewer = await this.dataSource.manager.findOneBy(ViewerEntity, { viewerId });
    return viewOf(viewer ?? { viewerId, gifts: 0, amountMinor: 0 });
  }

  @Get('viewers')
  async viewers(
    @Query(new SchemaPipe(viewersQuery, 'query')) { limit }: z.output<typeof viewersQuery>,
  ): Promise<BadgeView[]> {
    const viewers = await this.dataSource.manager.find(ViewerEntity, {
      order: { amountMinor: 'desc', viewerId: 'asc' },
      take: limit,
    });
    return viewers.map(viewOf);
  }

  /** Every sum there is: for the check and for a person, not for every page view. */
  @Get('totals')
  async totals(): Promise<BadgeTotals> {
    const totals = await this.dataSource.manager.find(ViewerEntity, { order: { viewerId: 'asc' } });
    return {
      gifts: totals.reduce((sum, viewer) => sum + viewer.gifts, 0),
      amountMinor: totals.reduce((sum, viewer) => sum + viewer.amountMinor, 0),
      totals,
    };
  }
}

const viewOf = (viewer: ViewerEntity): BadgeView => ({ ...viewer, ...badgeLevel(viewer.amountMinor) });

import { Controller, Get, Param, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import type { RankingTotals, RankingView } from '@tidings/gift-contracts';
import { SchemaPipe } from '@tidings/gift-platform';
import { RankedViewerEntity } from './ranked-viewer.entity';
import { topOfRoom } from './top-of-room';

const topQuery = z.object({ top: z.coerce.number().pipe(z.int().min(1).max(1_000)).default(10) });

@Controller()
export class RankingsController {
  constructor(private readonly dataSource: DataSource) {}

  @Get('rooms/:id/ranking')
  async ranking(
    @Param('id') roomId: string,
    @Query(new SchemaPipe(topQuery, 'query')) { top }: z.output<typeof topQuery>,
  ): Promise<RankingView> {
    return { roomId, top: await topOfRoom(this.dataSource.manager, roomId, top) };
  }

  /** Every sum there is: for the check and for a person, not for every page view. */
  @Get('totals')
  async totals(): Promise<RankingTotals> {
    const totals = await this.dataSource.manager.find(RankedViewerEntity, {
      order: { roomId: 'asc', viewerId: 'asc' },
    });
    return {
      gifts: totals.reduce((sum, viewer) => sum + viewer.gifts, 0),
      amountMinor: totals.reduce((sum, viewer) => sum + viewer.amountMinor, 0),
      totals,
    };
  }
}

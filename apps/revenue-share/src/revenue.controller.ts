import { Controller, Get, Param } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RevenueTotals, RevenueView } from '@tidings/gift-contracts';
import { sumAccounts } from './sql/sum-accounts';

@Controller()
export class RevenueController {
  constructor(private readonly dataSource: DataSource) {}

  @Get('streamers/:id/revenue')
  async revenue(@Param('id') streamerId: string): Promise<RevenueView> {
    const totals = await sumAccounts(this.dataSource.manager, streamerId);
    const streamer = totals.find((total) => total.account === 'streamer');
    const platform = totals.find((total) => total.account === 'platform');
    return {
      streamerId,
      gifts: streamer?.entries ?? 0,
      amountMinor: streamer?.amountMinor ?? 0,
      platformMinor: platform?.amountMinor ?? 0,
    };
  }

  @Get('totals')
  async totals(): Promise<RevenueTotals> {
    const totals = await sumAccounts(this.dataSource.manager, null);
    return {
      entries: totals.reduce((sum, total) => sum + total.entries, 0),
      amountMinor: totals.reduce((sum, total) => sum + total.amountMinor, 0),
      totals,
    };
  }
}

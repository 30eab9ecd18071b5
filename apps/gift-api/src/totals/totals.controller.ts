import { Controller, Get } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { GiftTotals } from '@tidings/gift-contracts';
import { sumGifts } from './sql/sum-gifts';

@Controller('totals')
export class TotalsController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  async totals(): Promise<GiftTotals> {
    const totals = await sumGifts(this.dataSource.manager);
    return {
      gifts: totals.reduce((sum, total) => sum + total.gifts, 0),
      amountMinor: totals.reduce((sum, total) => sum + total.amountMinor, 0),
      totals,
    };
  }
}

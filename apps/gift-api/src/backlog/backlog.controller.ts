import { Controller, Get, Inject } from '@nestjs/common';
import type { BacklogView } from '@tidings/gift-contracts';
import { BacklogGauge } from './backlog-gauge';
import { BACKLOG_LIMIT } from './backlog-limit';

@Controller('backlog')
export class BacklogController {
  constructor(
    private readonly gauge: BacklogGauge,
    @Inject(BACKLOG_LIMIT) private readonly limit: number,
  ) {}

  @Get()
  async backlog(): Promise<BacklogView> {
    return { backlog: await this.gauge.read(), limit: this.limit };
  }
}

import { Controller, Get } from '@nestjs/common';
import type { BacklogView } from '@tidings/gift-contracts';
import { BacklogGauges } from '@tidings/messaging';

@Controller('backlog')
export class BacklogController {
  constructor(private readonly gauges: BacklogGauges) {}

  @Get()
  async backlog(): Promise<BacklogView> {
    const gauge = this.gauges.default;
    const { messages } = await gauge.read();
    return { backlog: messages, limit: gauge.options.maxBacklog };
  }
}

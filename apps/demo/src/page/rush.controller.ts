import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  Get,
  HttpCode,
  Post,
  UseGuards,
} from '@nestjs/common';
import { z } from 'zod';
import { FromPageGuard } from './from-page.guard';
import { Rush, type RushProgress } from './rush';

const order = z.strictObject({ count: z.int().min(1).max(5_000) });

@Controller('rush')
export class RushController {
  constructor(private readonly rush: Rush) {}

  @Post()
  @HttpCode(202)
  @UseGuards(FromPageGuard)
  async start(@Body() body: unknown): Promise<RushProgress> {
    const wanted = order.safeParse(body);
    if (!wanted.success) throw new BadRequestException(z.prettifyError(wanted.error));
    if (!(await this.rush.start(wanted.data.count))) throw new ConflictException('a rush is under way');
    return this.rush.progress;
  }

  @Get()
  progress(): RushProgress {
    return this.rush.progress;
  }
}

import { Controller, Get } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RoomView } from '@tidings/gift-contracts';
import { RoomEntity } from './room.entity';

@Controller('rooms')
export class RoomsController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  async list(): Promise<RoomView[]> {
    return this.dataSource.manager.find(RoomEntity, { order: { roomId: 'asc' } });
  }
}

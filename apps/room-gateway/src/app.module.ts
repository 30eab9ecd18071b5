import { type DynamicModule, Module } from '@nestjs/common';
import { type PlatformConfig, PlatformModule } from '@tidings/gift-platform';
import { BroadcastHandler } from './broadcast.handler';
import { RoomGateway } from './room.gateway';

/** Shows what happens in a room on all of its screens. Keeps nothing. */
@Module({})
export class AppModule {
  static register(config: PlatformConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [PlatformModule.register({ app: 'room-gateway', config })],
      providers: [RoomGateway, BroadcastHandler],
    };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { type PlatformConfig, PlatformModule } from '@tidings/gift-platform';
import { RankGiftHandler } from './rank-gift.handler';
import { RankedViewerEntity } from './ranked-viewer.entity';
import { RankingsController } from './rankings.controller';

/** Who gave most, for each room. */
@Module({})
export class AppModule {
  static register(config: PlatformConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [PlatformModule.register({ app: 'ranking', config, entities: [RankedViewerEntity] })],
      controllers: [RankingsController],
      providers: [RankGiftHandler],
    };
  }
}

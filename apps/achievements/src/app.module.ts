import { type DynamicModule, Module } from '@nestjs/common';
import { type PlatformConfig, PlatformModule } from '@tidings/gift-platform';
import { PointsHandler } from './points.handler';
import { RedeemPoints } from './redeem-points';
import { RedemptionsController } from './redemptions.controller';

/** Bonus points in a database of their own: granted for gifts, redeemed for gifts, and refunded when gift-api refuses. */
@Module({})
export class AppModule {
  static register(config: PlatformConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [PlatformModule.register({ app: 'achievements', config, ownDatabase: true })],
      controllers: [RedemptionsController],
      providers: [PointsHandler, RedeemPoints],
    };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { type PlatformConfig, PlatformModule } from '@tidings/gift-platform';
import { PoisonInterceptor } from './poison.interceptor';
import { UpgradeBadgeHandler } from './upgrade-badge.handler';
import { ViewerEntity } from './viewer.entity';
import { ViewersController } from './viewers.controller';

/** Each viewer's level, by what they gave in all rooms together. */
@Module({})
export class AppModule {
  static register(config: PlatformConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [PlatformModule.register({ app: 'badges', config, entities: [ViewerEntity] })],
      controllers: [ViewersController],
      providers: [
        UpgradeBadgeHandler,
        ...(config.poison ? [{ provide: APP_INTERCEPTOR, useClass: PoisonInterceptor }] : []),
      ],
    };
  }
}

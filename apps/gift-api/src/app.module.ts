import { type DynamicModule, Module } from '@nestjs/common';
import { type PlatformConfig, PlatformModule } from '@tidings/gift-platform';
import { GiftRequested, GiftSent } from '@tidings/gift-contracts';
import { HttpResendModule, Outbox, RecheckingPublisher } from '@tidings/messaging';
import { BacklogController } from './backlog/backlog.controller';
import { GiftEntity } from './gifts/gift.entity';
import { GiftPublisher } from './gifts/gift-publisher';
import { GiftsController } from './gifts/gifts.controller';
import { ResendGift } from './gifts/resend-gift';
import { SendGift } from './gifts/send-gift';
import { IntakeController } from './intake/intake.controller';
import { RedeemPointsHandler } from './intake/redeem-points.handler';
import { WriteGiftHandler } from './intake/write-gift.handler';
import { RoomEntity } from './rooms/room.entity';
import { RoomsController } from './rooms/rooms.controller';
import { TotalsController } from './totals/totals.controller';

/** Takes gifts: one transaction writes the gift and publishes it. */
@Module({})
export class AppModule {
  static register(config: PlatformConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.register({
          app: 'gift-api',
          config,
          entities: [GiftEntity, RoomEntity],
          messaging: {
            backlogGate: { maxBacklog: config.backlogLimit, topics: [GiftRequested.topic, GiftSent.topic] },
          },
        }),
        ...(config.callback && config.resend ? [HttpResendModule.forRoot({ keys: config.resend.keys })] : []),
      ],
      controllers: [GiftsController, IntakeController, RoomsController, TotalsController, BacklogController],
      providers: [
        SendGift,
        WriteGiftHandler,
        RedeemPointsHandler,
        { provide: GiftPublisher, useExisting: config.callback ? RecheckingPublisher : Outbox },
        ...(config.callback ? [ResendGift] : []),
      ],
    };
  }
}

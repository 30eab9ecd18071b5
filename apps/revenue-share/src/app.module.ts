import { type DynamicModule, Module } from '@nestjs/common';
import { type PlatformConfig, PlatformModule } from '@tidings/gift-platform';
import { LedgerController } from './ledger.controller';
import { LedgerEntryEntity } from './ledger-entry.entity';
import { RevenueController } from './revenue.controller';
import { ShareRevenueHandler } from './share-revenue.handler';

/** Who earned what: a ledger of two entries a gift. */
@Module({})
export class AppModule {
  static register(config: PlatformConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [PlatformModule.register({ app: 'revenue-share', config, entities: [LedgerEntryEntity] })],
      controllers: [LedgerController, RevenueController],
      providers: [ShareRevenueHandler],
    };
  }
}

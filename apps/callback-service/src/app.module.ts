import { type DynamicModule, Module } from '@nestjs/common';
import { type PlatformConfig, PlatformModule } from '@tidings/gift-platform';
import { CallbackModule } from '@tidings/messaging';

/** Looks after gifts that not every app has confirmed. It knows no gift: another service's messages it would look after as well. */
@Module({})
export class AppModule {
  static register(config: PlatformConfig): DynamicModule {
    const { resend } = config;
    return {
      module: AppModule,
      imports: [
        PlatformModule.register({ app: 'callback-service', config }),
        CallbackModule.forRoot(resend && { http: { senders: { 'gift-api': resend.url }, keys: resend.keys } }),
      ],
    };
  }
}

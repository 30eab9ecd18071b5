import { CallbackModule, HttpResendModule } from '@tidings/messaging';

declare class ConfigService {
  getOrThrow(name: string): string;
}
declare function secretsOf(name: string): Promise<Record<string, string>>;

// #region service
export const service = CallbackModule.forRoot({
  http: {
    senders: { 'gift-api': 'https://gift-api.internal/callback/resend' },
    keys: async () => ({ secrets: await secretsOf('tidings-resend'), signWith: '2026-11' }),
  },
});
// #endregion

// #region sender
export const sender = HttpResendModule.forRootAsync({
  inject: [ConfigService],
  useFactory: (config: ConfigService) => ({ keys: { secrets: { '2026-11': config.getOrThrow('RESEND_KEY') } } }),
});
// #endregion

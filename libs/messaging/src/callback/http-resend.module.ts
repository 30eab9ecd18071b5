import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import { checkHttpResendOptions, type HttpResendOptions, ResendEndpoint } from '@tidings/callback';
import { MemoryStore } from '@tidings/core';
import { MessagingConfigurationError } from '../messaging.errors';
import { MessagingRuntime } from '../messaging-runtime';
import { HttpResendController } from './http-resend.controller';

const SUBJECT = 'HttpResendModule';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<HttpResendOptions>({
  moduleName: 'HttpResend',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createHttpResendOptions')
  .build();

/**
 * Lets the callback service ask this service by HTTP (`POST /callback/resend`, signed), beside request-reply or where no broker carries requests. Beside a
 * MessagingModule with `messaging.callback` and a store. Fails at start with an OptionsError that names the bad option, or a MessagingConfigurationError.
 */
@Module({
  controllers: [HttpResendController],
  providers: [
    {
      provide: ResendEndpoint,
      inject: [MessagingRuntime, MODULE_OPTIONS_TOKEN],
      useFactory: endpointOf,
    },
  ],
})
export class HttpResendModule extends ConfigurableModuleClass {}

function endpointOf(runtime: MessagingRuntime, given: HttpResendOptions): ResendEndpoint {
  const options = checkHttpResendOptions('httpResend', given);
  const { callback } = runtime;
  const resender = callback?.resender;
  if (!resender)
    throw new MessagingConfigurationError(SUBJECT, 'expected a service that sends, with messaging.callback and a store, found none; add callback: {}'); // prettier-ignore
  const { store } = runtime.storeFor(SUBJECT);
  if (store instanceof MemoryStore)
    throw new MessagingConfigurationError(SUBJECT, 'expected a store in a database, which keeps what was answered, found one in memory'); // prettier-ignore
  callback.askedByHttp = true;
  const { clock, logger } = runtime;
  const endpoint = new ResendEndpoint({ source: runtime.options.source, resender, store, options, clock, logger });
  runtime.companions.push(endpoint);
  return endpoint;
}

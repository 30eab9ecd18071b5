import { type DynamicModule, type FactoryProvider, Module, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { RecheckingPublisher } from '@tidings/callback';
import { Outbox } from '@tidings/outbox';
import { BacklogGauges } from './backlog/backlog-gauges';
import { getDeadLettersToken } from './decorators/inject-dead-letters.decorator';
import { getReclaimToken } from './decorators/inject-reclaim.decorator';
import { getOutboxToken } from './decorators/inject-outbox.decorator';
import { CheckBackExplorer } from './handling/check-back.explorer';
import { RESENDER } from './callback/inject-resender.decorator';
import { ResendExplorer } from './callback/resend.explorer';
import { HandlerExplorer } from './handling/handler.explorer';
import { HandlerInvoker } from './handling/handler-invoker';
import { ConsumerLifecycle } from './lifecycle/consumer-lifecycle';
import { InjectionCheck } from './lifecycle/injection-check';
import { MessagingHealth } from './lifecycle/messaging-health';
import { Subscriptions } from './lifecycle/subscriptions';
import { MessagingRuntime } from './messaging-runtime';
import { MESSAGING_SUBSTITUTES, type MessagingSubstitutes } from './messaging.substitutes';
import { ASYNC_OPTIONS_TYPE, ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } from './messaging.module-definition'; // prettier-ignore
import type { MessagingOptions } from './messaging.options';
import { ApplicationDeadLetters } from './publishing/application-dead-letters';
import { MessagePublisher } from './publishing/message-publisher';
import { MessageRequester } from './publishing/message-requester';

const fromRuntime = <T>(
  provide: FactoryProvider['provide'],
  useFactory: (runtime: MessagingRuntime) => T,
): Provider => ({
  provide,
  inject: [MessagingRuntime],
  useFactory,
});

/** The outbox, dead letters and reclaim scheduler of a store that options name; `undefined` for the unnamed ones, where InjectionCheck answers for their absence. */
function storeProviders(names: readonly string[]): Provider[] {
  const unnamed = (runtime: MessagingRuntime) => (runtime.hasDefaultStore ? runtime.storeFor('messaging') : undefined);
  return [
    fromRuntime(getOutboxToken(), (runtime) => unnamed(runtime)?.outbox),
    fromRuntime(getDeadLettersToken(), (runtime) => unnamed(runtime)?.deadLetters),
    fromRuntime(getReclaimToken(), (runtime) => unnamed(runtime)?.reclaim),
    { provide: Outbox, useExisting: getOutboxToken() },
    { provide: ApplicationDeadLetters, useExisting: getDeadLettersToken() },
    ...names.flatMap((name) => [
      fromRuntime(getOutboxToken(name), (runtime) => runtime.storeFor('messaging.storeNames', name).outbox),
      fromRuntime(getDeadLettersToken(name), (runtime) => runtime.storeFor('messaging.storeNames', name).deadLetters),
      fromRuntime(getReclaimToken(name), (runtime) => runtime.storeFor('messaging.storeNames', name).reclaim),
    ]),
  ];
}

/** Messaging for a Nest application: import it once, by `forRoot` or `forRootAsync`. */
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: MessagingRuntime,
      inject: [MODULE_OPTIONS_TOKEN, { token: MESSAGING_SUBSTITUTES, optional: true }],
      useFactory: (options: MessagingOptions, substitutes?: MessagingSubstitutes) =>
        new MessagingRuntime(options, substitutes),
    },
    fromRuntime(MessagePublisher, ({ publisher }) => publisher),
    fromRuntime(MessageRequester, ({ requester }) => requester),
    HandlerInvoker,
    HandlerExplorer,
    CheckBackExplorer,
    ResendExplorer,
    fromRuntime(RecheckingPublisher, ({ callback }) => callback?.publisher),
    fromRuntime(RESENDER, ({ callback }) => callback?.resender),
    InjectionCheck,
    ConsumerLifecycle,
    MessagingHealth,
    Subscriptions,
    BacklogGauges,
  ],
  exports: [
    MessagingRuntime,
    RecheckingPublisher,
    RESENDER,
    MessagePublisher,
    MessageRequester,
    MessagingHealth,
    Subscriptions,
    BacklogGauges,
  ],
})
export class MessagingModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return withStores(super.forRoot(options), Object.keys((options.stores as object | undefined) ?? {}));
  }

  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return withStores(super.forRootAsync(options), options.storeNames ?? []);
  }
}

function withStores(definition: DynamicModule, names: readonly string[]): DynamicModule {
  const providers = storeProviders(names);
  const tokens = providers.map((provider) => (provider as FactoryProvider).provide);
  return {
    ...definition,
    providers: [...(definition.providers ?? []), ...providers],
    exports: [...(definition.exports ?? []), ...tokens],
  };
}

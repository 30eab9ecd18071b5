import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { MessagingOptions } from './messaging.options';

export interface MessagingExtras {
  /** Default true. */
  readonly isGlobal?: boolean;
  /**
   * With forRootAsync: stores that `@InjectOutbox(name)` and `@InjectDeadLetters(name)` name, since Nest must know its providers before the options
   * are there. Without a name both need no entry here.
   */
  readonly storeNames?: readonly string[];
}

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<MessagingOptions>({ moduleName: 'Messaging' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createMessagingOptions')
    .setExtras<MessagingExtras>({ isGlobal: true, storeNames: [] }, (definition, extras) => ({
      ...definition,
      global: extras.isGlobal ?? true,
    }))
    .build();

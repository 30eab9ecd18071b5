import { type DynamicModule, Module } from '@nestjs/common';
import { CallbackDesk, type CallbackServiceOptions, checkCallbackServiceOptions, RequestReplyResender, type Resender } from '@tidings/callback'; // prettier-ignore
import { MessagingRuntime } from '../messaging-runtime';
import { CallbackController } from './callback.controller';
import { CallbackHandlers } from './callback.handlers';

export interface CallbackModuleOptions extends CallbackServiceOptions {
  /** How senders are asked. Default: by request-reply, over the transport that the route of `tidings.resend` names. */
  readonly resender?: Resender;
}

/**
 * The callback service: beside a MessagingModule with a store, in an application of its own. Stores confirmations, looks at rechecks, asks senders, and
 * tells what it knows at `GET /callback/measures`. Any number of processes.
 */
@Module({})
export class CallbackModule {
  /** @throws OptionsError that names the bad option by its path below `callback`. */
  static forRoot({ resender, ...given }: CallbackModuleOptions = {}): DynamicModule {
    const options = checkCallbackServiceOptions(given);
    return {
      module: CallbackModule,
      controllers: [CallbackController],
      providers: [
        {
          provide: CallbackDesk,
          inject: [MessagingRuntime],
          useFactory: (runtime: MessagingRuntime) => deskOf(runtime, options, resender),
        },
        CallbackHandlers,
      ],
      exports: [CallbackDesk],
    };
  }
}

function deskOf(
  runtime: MessagingRuntime,
  options: ReturnType<typeof checkCallbackServiceOptions>,
  resender: Resender | undefined,
): CallbackDesk {
  const { store, deadLetters } = runtime.storeFor('CallbackModule');
  const { clock, logger, instance, requester } = runtime;
  const asks = resender ?? new RequestReplyResender((contract, payload, more) => requester.request(contract, payload, more)); // prettier-ignore
  const desk = new CallbackDesk({ store, resender: asks, deadLetters, options, instance, clock, logger });
  runtime.companions.push(desk);
  return desk;
}

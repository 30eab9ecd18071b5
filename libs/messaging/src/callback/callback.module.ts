import { type DynamicModule, Module } from '@nestjs/common';
import { CallbackDesk, type CallbackServiceOptions, checkCallbackServiceOptions, checkHttpResenderOptions, HttpResender, type HttpResenderOptions, readTime, RequestReplyResender, resendRequest, type Resender } from '@tidings/callback'; // prettier-ignore
import { OptionsError } from '@tidings/core';
import { MessagingConfigurationError } from '../messaging.errors';
import { MessagingRuntime } from '../messaging-runtime';
import { CallbackController } from './callback.controller';
import { CallbackHandlers } from './callback.handlers';

export interface CallbackModuleOptions extends CallbackServiceOptions {
  /** How senders are asked. Default: by request-reply, over the transport that the route of `tidings.resend` names. */
  readonly resender?: Resender;
  /** Senders are asked by HTTP, signed, in place of request-reply; each needs HttpResendModule. Not together with `resender`. */
  readonly http?: HttpResenderOptions;
}

/**
 * The callback service: beside a MessagingModule with a store, in an application of its own. Stores confirmations, looks at rechecks, asks senders, and
 * tells what it knows at `GET /callback/measures`. Any number of processes.
 */
@Module({})
export class CallbackModule {
  /** @throws OptionsError that names the bad option by its path below `callback`. */
  static forRoot({ resender, http, ...given }: CallbackModuleOptions = {}): DynamicModule {
    const options = checkCallbackServiceOptions(given);
    if (resender && http) throw new OptionsError('callback.http', 'expected either http or resender, found both');
    const asked = http && checkHttpResenderOptions('callback.http', http);
    return {
      module: CallbackModule,
      controllers: [CallbackController],
      providers: [
        {
          provide: CallbackDesk,
          inject: [MessagingRuntime],
          useFactory: (runtime: MessagingRuntime) => deskOf(runtime, options, resender, asked),
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
  http: ReturnType<typeof checkHttpResenderOptions> | undefined,
): CallbackDesk {
  const { store, deadLetters } = runtime.storeFor('CallbackModule');
  const { clock, logger, instance, requester } = runtime;
  const byRequest = (): Resender => {
    // At boot, for the first question comes when something was lost.
    const { type } = resendRequest(runtime.options.source);
    if (!runtime.carriesRequests(type)) throw new MessagingConfigurationError('CallbackModule', `expected a transport that carries requests (${type}), found none; ask senders by http: { senders, keys }`); // prettier-ignore
    return new RequestReplyResender((contract, payload, more) => requester.request(contract, payload, more));
  };
  const asks = resender ?? (http ? new HttpResender(http, () => readTime(store)) : byRequest());
  const desk = new CallbackDesk({ store, resender: asks, deadLetters, options, instance, clock, logger });
  runtime.companions.push(desk);
  return desk;
}

import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { ResendQuestion } from '@tidings/callback';
import { type HandlerDefinition, type Message, MessageContext, never, type MessageContract, type Transaction } from '@tidings/core'; // prettier-ignore
import { HandlerInvoker, type HandlerWrapper } from '../handling/handler-invoker';
import { prototypeOf } from '../handling/handler.explorer';
import { MessagingConfigurationError } from '../messaging.errors';
import { onResendOf } from './on-resend.decorator';

/** A decorated method that makes messages again from business data. */
export interface FoundResend {
  readonly name: string;
  readonly contract: MessageContract<unknown, never>;
  readonly ask: (question: ResendQuestion, transaction: Transaction) => Promise<unknown>;
}

/** Finds the methods with `@OnResend` of all providers and controllers. */
@Injectable()
export class ResendExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly invoker: HandlerInvoker,
  ) {}

  /** @throws MessagingConfigurationError when two answer for one contract. */
  explore(): FoundResend[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    const found = wrappers.filter((wrapper) => !wrapper.isAlias).flatMap((wrapper) => this.#of(wrapper));
    for (const [index, one] of found.entries()) {
      const twin = found.slice(0, index).find(({ contract }) => contract.type === one.contract.type);
      if (!twin) continue;
      const problem = `expected one method that answers, found ${twin.name} and ${one.name}; keep one of them`;
      throw new MessagingConfigurationError(`@OnResend(${one.contract.type})`, problem);
    }
    return found;
  }

  #of(wrapper: HandlerWrapper): FoundResend[] {
    const prototype = prototypeOf(wrapper);
    if (!prototype) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((method) =>
      onResendOf((prototype as Record<string, unknown>)[method]).map(({ contract }) => {
        const name = `${prototype.constructor.name}.${method}`;
        const call = this.invoker.call(wrapper, method);
        const handler = handlerOf(name, contract);
        const ask: FoundResend['ask'] = async (question, transaction) => {
          const delivery = { message: questioned(question), attempt: 1, redelivered: false };
          const context = new MessageContext(delivery, handler, new AbortController().signal);
          context.transaction = transaction;
          try {
            return await call(question, context);
          } finally {
            context.transaction = undefined;
          }
        };
        return { name, contract, ask };
      }),
    );
  }
}

const handlerOf = (name: string, contract: MessageContract<unknown, never>): HandlerDefinition => ({
  name,
  contract,
  subscription: {
    topic: contract.topic,
    group: 'resend',
    ordered: false,
    broadcast: false,
    concurrency: 1,
    from: 'now',
  },
  transport: '',
  store: '',
  level: 'atLeastOnce',
  retry: never(),
  invoke: () => Promise.reject(new Error('asked for, not delivered to')),
});

/** The message as far as it is known before it is made again. */
const questioned = ({ id, source, type, topic, key, bucket, time, headers }: ResendQuestion): Message => ({
  id,
  source,
  type,
  version: 1,
  topic,
  key,
  time,
  contentType: 'application/json',
  payload: new Uint8Array(),
  bucket,
  generation: 0,
  crc32c: null,
  headers,
});

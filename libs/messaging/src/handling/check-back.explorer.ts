import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type HandlerDefinition, MessageContext, never } from '@tidings/core';
import type { AskBack, CheckBackAnswer } from '@tidings/outbox';
import { onCheckBackOf, type OnCheckBackMetadata } from '../decorators/on-check-back.decorator';
import { MessagingConfigurationError } from '../messaging.errors';
import { MessagingRuntime } from '../messaging-runtime';
import type { EnhancedCall } from './enhanced-call.factory';
import { HandlerInvoker, type HandlerWrapper } from './handler-invoker';
import { prototypeOf } from './handler.explorer';

/** A decorated method that answers for prepared messages. */
export interface FoundCheckBack {
  /** As `Payments.checkBack`. */
  readonly name: string;
  readonly type: string;
  readonly topic: string;
  readonly store: string;
  readonly ask: AskBack;
}

const ANSWERS: readonly unknown[] = ['commit', 'rollback', 'unknown'] satisfies CheckBackAnswer[];

/** Finds the methods with `@OnCheckBack` of all providers and controllers. */
@Injectable()
export class CheckBackExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly invoker: HandlerInvoker,
    private readonly runtime: MessagingRuntime,
  ) {}

  /** @throws MessagingConfigurationError when two answer for one contract, or it is not clear of which store. */
  explore(): FoundCheckBack[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    const found = wrappers.filter((wrapper) => !wrapper.isAlias).flatMap((wrapper) => this.#of(wrapper));
    for (const [index, one] of found.entries()) {
      const twin = found.slice(0, index).find(({ type, store }) => type === one.type && store === one.store);
      if (!twin) continue;
      throw new MessagingConfigurationError(
        `@OnCheckBack(${one.type})`,
        `expected one method that answers, found ${twin.name} and ${one.name}; keep one of them`,
      );
    }
    return found;
  }

  #of(wrapper: HandlerWrapper): FoundCheckBack[] {
    const prototype = prototypeOf(wrapper);
    if (!prototype) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((method) =>
      onCheckBackOf((prototype as Record<string, unknown>)[method]).map((metadata) => {
        const name = `${prototype.constructor.name}.${method}`;
        const store = this.runtime.storeFor(name, metadata.options.store).name;
        const ask = askBy(name, metadata, store, this.invoker.call(wrapper, method));
        const { type, topic } = metadata.contract;
        return { name, type, topic, store, ask };
      }),
    );
  }
}

/** The method meets what a message handler meets: the decoded payload, and a context with message and transaction; a check is an attempt. */
function askBy(name: string, { contract }: OnCheckBackMetadata, store: string, call: EnhancedCall): AskBack {
  const handler: HandlerDefinition = {
    name,
    contract,
    subscription: {
      topic: contract.topic,
      group: 'check-back',
      ordered: false,
      broadcast: false,
      concurrency: 1,
      from: 'now',
    },
    transport: '',
    store,
    level: 'atLeastOnce',
    retry: never(),
    invoke: () => Promise.reject(new Error('asked back, not delivered to')),
  };
  return async ({ message, checks }, transaction) => {
    const payload = await contract.decode(message);
    const delivery = { message, attempt: checks, redelivered: checks > 1 };
    const context = new MessageContext(delivery, handler, new AbortController().signal);
    context.transaction = transaction;
    try {
      const answer = await call(payload, context);
      if (ANSWERS.includes(answer)) return answer as CheckBackAnswer;
      throw new TypeError(`${name}: expected the answer 'commit', 'rollback' or 'unknown', found ${String(answer)}`);
    } finally {
      context.transaction = undefined;
    }
  };
}

import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type OnMessageMetadata, onMessageOf } from '../decorators/on-message.decorator';
import { type Answer, HandlerInvoker, type HandlerWrapper, type Invoke } from './handler-invoker';

/** A decorated method that was found in this application. */
export interface FoundHandler extends OnMessageMetadata {
  /** As `RankGift.rank`. */
  readonly name: string;
  /** The module that holds it, for errors. */
  readonly module: string;
  readonly invoke: Invoke | Answer;
  /** Its guards and pipes, without the handler. */
  readonly check?: Invoke;
}

/** Finds the methods with `@OnMessage` of all providers and controllers. */
@Injectable()
export class HandlerExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly invoker: HandlerInvoker,
  ) {}

  explore(): FoundHandler[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    return wrappers.filter((wrapper) => !wrapper.isAlias).flatMap((wrapper) => this.#handlersOf(wrapper));
  }

  #handlersOf(wrapper: HandlerWrapper): FoundHandler[] {
    const prototype = prototypeOf(wrapper);
    if (!prototype) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((method) =>
      onMessageOf((prototype as Record<string, unknown>)[method]).map((metadata) => ({
        ...metadata,
        name: `${prototype.constructor.name}.${method}`,
        module: wrapper.host?.name ?? '',
        invoke: metadata.reply ? this.invoker.answer(wrapper, method) : this.invoker.invoke(wrapper, method),
        check: this.invoker.check(wrapper, method),
      })),
    );
  }
}

/** A provider by value or factory is known by its instance only; a request-scoped class has none yet. */
export function prototypeOf({ instance, metatype, isNotMetatype }: HandlerWrapper): object | undefined {
  const value = instance as unknown;
  if (typeof value === 'object' && value !== null) {
    const prototype = Object.getPrototypeOf(value) as object | null;
    return prototype && prototype !== Object.prototype ? prototype : undefined;
  }
  return isNotMetatype ? undefined : (metatype as { prototype?: object } | null)?.prototype;
}

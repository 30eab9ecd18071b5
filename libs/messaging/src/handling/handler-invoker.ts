import { ForbiddenException, Injectable } from '@nestjs/common';
import { ContextIdFactory, type DiscoveryService, ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { asError, isSettlement, type MessageContext, NonRetriableError, reject, type Settlement } from '@tidings/core';
import type { BatchContext } from './batch-context';
import { type EnhancedCall, enhancedCall } from './enhanced-call.factory';

/** A wrapper of Nest's container, as DiscoveryService lists them. */
export type HandlerWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** With the payload and its MessageContext, or the items of a batch and their BatchContext. */
export type Invoke = (payload: unknown, context: MessageContext | BatchContext) => Promise<Settlement | void>;

/** The same for a request: resolves with the answer. */
export type Answer = (payload: unknown, context: MessageContext | BatchContext) => Promise<unknown>;

/** Calls a handler's method the way Nest calls a controller's: guard, interceptor, pipe, method, and filters around them. */
@Injectable()
export class HandlerInvoker {
  constructor(private readonly creator: ExternalContextCreator) {}

  /**
   * What runs the method for a message. A handler that is request-scoped or transient, or has a request-scoped dependency or enhancer, is made anew
   * for each attempt, with the MessageContext as its REQUEST.
   */
  invoke(wrapper: HandlerWrapper, method: string): Invoke {
    return this.#settling(this.call(wrapper, method));
  }

  /** What runs the method for a request. A guard's false is a failure that no retry mends, and the requester is told. */
  answer(wrapper: HandlerWrapper, method: string): Answer {
    const call = this.call(wrapper, method);
    return async (payload, context) => {
      try {
        return await call(payload, context);
      } catch (thrown) {
        if (thrown instanceof ForbiddenException) throw new NonRetriableError('forbidden', { cause: thrown });
        throw asError(thrown);
      }
    };
  }

  /** What asks the guards and pipes of a method for a message, without running interceptors and the method itself. */
  check(wrapper: HandlerWrapper, method: string): Invoke {
    return this.#settling(this.#call(wrapper, method, true));
  }

  /** The same as `invoke`, with the method's own answer and failure. */
  call(wrapper: HandlerWrapper, method: string): EnhancedCall {
    return this.#call(wrapper, method, false);
  }

  #settling(call: EnhancedCall): Invoke {
    return async (payload, context) => {
      try {
        const answer = await call(payload, context);
        return isSettlement(answer) ? answer : undefined;
      } catch (thrown) {
        // A guard's false. Asking the same guard about the same message again is of no use.
        if (thrown instanceof ForbiddenException) return reject('forbidden', thrown);
        throw asError(thrown);
      }
    };
  }

  #call(wrapper: HandlerWrapper, method: string, checkOnly: boolean): EnhancedCall {
    const shared = wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
    return shared ? this.#shared(wrapper, method, checkOnly) : this.#perMessage(wrapper, method, checkOnly);
  }

  #shared(wrapper: HandlerWrapper, method: string, checkOnly: boolean): EnhancedCall {
    const instance = wrapper.instance as object;
    return enhancedCall(this.creator, {
      instance,
      method,
      moduleToken: tokenOf(wrapper),
      wrapperId: wrapper.id,
      checkOnly,
    });
  }

  #perMessage(wrapper: HandlerWrapper, method: string, checkOnly: boolean): EnhancedCall {
    const moduleRef = wrapper.host?.getProviderByKey<ModuleRef>(ModuleRef)?.instance as ModuleRef;
    const moduleToken = tokenOf(wrapper);
    return async (payload, context) => {
      const contextId = ContextIdFactory.getByRequest(context as unknown as Record<string, unknown>);
      moduleRef.registerRequestByContextId(context, contextId);
      const instance = await moduleRef.resolve<object>(wrapper.token as never, contextId, { strict: true });
      return enhancedCall(this.creator, { instance, method, moduleToken, wrapperId: wrapper.id, contextId, checkOnly })(
        payload,
        context,
      );
    };
  }
}

const tokenOf = (wrapper: HandlerWrapper): string => wrapper.host?.token ?? '';

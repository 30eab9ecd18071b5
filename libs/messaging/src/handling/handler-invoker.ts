import { ForbiddenException, Injectable } from '@nestjs/common';
import { ContextIdFactory, type DiscoveryService, ExternalContextCreator, ModuleRef } from '@nestjs/core';
import { asError, isSettlement, type MessageContext, reject, type Settlement } from '@tidings/core';
import { type EnhancedCall, enhancedCall } from './enhanced-call.factory';

/** A wrapper of Nest's container, as DiscoveryService lists them. */
export type HandlerWrapper = ReturnType<DiscoveryService['getProviders']>[number];

export type Invoke = (payload: unknown, context: MessageContext) => Promise<Settlement | void>;

/** Calls a handler's method the way Nest calls a controller's: guard, interceptor, pipe, method, and filters around them. */
@Injectable()
export class HandlerInvoker {
  constructor(private readonly creator: ExternalContextCreator) {}

  /**
   * What runs the method for a message. A handler that is request-scoped or transient, or has a request-scoped dependency or enhancer, is made anew
   * for each attempt, with the MessageContext as its REQUEST.
   */
  invoke(wrapper: HandlerWrapper, method: string): Invoke {
    const call = this.call(wrapper, method);
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

  /** The same, with the method's own answer and failure. */
  call(wrapper: HandlerWrapper, method: string): EnhancedCall {
    const shared = wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
    return shared ? this.#shared(wrapper, method) : this.#perMessage(wrapper, method);
  }

  #shared(wrapper: HandlerWrapper, method: string): EnhancedCall {
    const instance = wrapper.instance as object;
    return enhancedCall(this.creator, { instance, method, moduleToken: tokenOf(wrapper), wrapperId: wrapper.id });
  }

  #perMessage(wrapper: HandlerWrapper, method: string): EnhancedCall {
    const moduleRef = wrapper.host?.getProviderByKey<ModuleRef>(ModuleRef)?.instance as ModuleRef;
    const moduleToken = tokenOf(wrapper);
    return async (payload, context) => {
      const contextId = ContextIdFactory.getByRequest(context as unknown as Record<string, unknown>);
      moduleRef.registerRequestByContextId(context, contextId);
      const instance = await moduleRef.resolve<object>(wrapper.token as never, contextId, { strict: true });
      return enhancedCall(this.creator, { instance, method, moduleToken, wrapperId: wrapper.id, contextId })(
        payload,
        context,
      );
    };
  }
}

const tokenOf = (wrapper: HandlerWrapper): string => wrapper.host?.token ?? '';

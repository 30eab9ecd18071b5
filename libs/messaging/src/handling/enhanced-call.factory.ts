import type { ArgumentsHost } from '@nestjs/common';
import type { ContextId, ExternalContextCreator } from '@nestjs/core';
import { isSettlement, type MessageContext } from '@tidings/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { MESSAGE_PARAMS } from '../decorators/message-params.decorator';
import { MessagingConfigurationError } from '../messaging.errors';
import { MESSAGE_CONTEXT_TYPE } from '../tidings-context';
import { BatchError } from './batch.error';
import type { BatchContext, BatchItem } from './batch-context';
import { hostOf } from './message-arguments.host';
import { messageParamsFactory, PerItem } from './message-params.factory';

/** A handler's method with its guards, interceptors, pipes and filters around it. Resolves with its answer, rejects with its failure. */
export type EnhancedCall = (payload: unknown, context: MessageContext | BatchContext) => Promise<unknown>;

export interface EnhancedCallTarget {
  readonly instance: object;
  readonly method: string;
  /** Of the module that hosts the instance: its providers are the enhancers. */
  readonly moduleToken: string;
  /** The instance's wrapper: transient enhancers are one for each host. */
  readonly wrapperId: string;
  /** Of a request-scoped handler. */
  readonly contextId?: ContextId;
  /** Ask guards and pipes only: neither interceptors nor the method run. Default false. */
  readonly checkOnly?: boolean;
}

interface Filters {
  /** The answer of the filter that catches it, or null when none does. */
  invokeCustomFilters(thrown: unknown, host: ArgumentsHost): unknown;
}

/** Five members that TypeScript may call private; each has been there since Nest 8 at least. Their absence fails the boot. */
const INNER = [
  'handlerMetadataStorage',
  'externalErrorProxy',
  'getContextModuleKey',
  'getParamValue',
  'create',
] as const;

/**
 * Wraps a handler by Nest's ExternalContextCreator, which is made for this but for three things, mended on an object derived from it:
 * - it looks for a class among providers only, so that a controller's class guards would be skipped without a word;
 * - it remembers parameters by the class's name, so that two handlers called alike in two files would share them;
 * - its filters make a success of whatever they return, and each failure that no filter caught is logged as an error, which a failure that will be
 *   retried is not.
 */
export function enhancedCall(creator: ExternalContextCreator, target: EnhancedCallTarget): EnhancedCall {
  const { instance, method, moduleToken, wrapperId, contextId, checkOnly = false } = target;
  const callback = (instance as Record<string, (...args: unknown[]) => unknown>)[method]!;
  return derived(creator, moduleToken).create(
    instance,
    checkOnly ? standInFor(callback) : callback,
    method,
    MESSAGE_PARAMS,
    messageParamsFactory,
    contextId,
    wrapperId,
    { guards: true, interceptors: !checkOnly, filters: true },
    MESSAGE_CONTEXT_TYPE,
  ) as EnhancedCall;
}

/** Does nothing, and has all that decorators say about the method: guards are found, and ask, by that. */
function standInFor(method: object): () => Promise<void> {
  const standIn = (): Promise<void> => Promise.resolve();
  for (const key of Reflect.getMetadataKeys(method) as unknown[])
    Reflect.defineMetadata(key, Reflect.getMetadata(key, method) as unknown, standIn);
  return standIn;
}

function derived(creator: ExternalContextCreator, moduleToken: string): ExternalContextCreator {
  const inner = creator as unknown as Record<string, unknown>;
  const missing = INNER.find((name) => inner[name] === undefined);
  if (missing !== undefined) {
    throw new MessagingConfigurationError(
      'Nest',
      `expected ExternalContextCreator to have ${missing}, as in Nest 11 and 12, found none; use a version of Nest that @tidings/messaging names as peer`,
    );
  }
  const apply = (creator.getParamValue as (...args: unknown[]) => Promise<unknown>).bind(creator);
  const Storage = (inner['handlerMetadataStorage'] as object).constructor as new () => object;
  return Object.assign(Object.create(creator) as ExternalContextCreator, {
    handlerMetadataStorage: new Storage(),
    getHostModuleKey: () => moduleToken,
    getContextModuleKey: () => moduleToken,
    externalErrorProxy: { createProxy: throughFilters },
    getParamValue: (value: unknown, ...rest: unknown[]) =>
      value instanceof PerItem ? throughPipes(value, (one) => apply(one, ...rest)) : apply(value, ...rest),
  });
}

/** Each payload by itself; those that a pipe refuses have failed, and only those. */
async function throughPipes({ items }: PerItem, pipe: (payload: unknown) => Promise<unknown>): Promise<BatchItem[]> {
  const piped = await Promise.allSettled(items.map(async (item) => ({ ...item, payload: await pipe(item.payload) })));
  const failed = items.filter((_, at) => piped[at]?.status === 'rejected');
  const [first] = piped.filter((one) => one.status === 'rejected');
  if (first)
    throw new BatchError(
      failed.map(({ id }) => id),
      { cause: first.reason },
    );
  return piped.filter((one) => one.status === 'fulfilled').map(({ value }) => value);
}

/** A failure that a filter answers with a settlement is settled so; one that it answers otherwise stays a failure, or becomes what the filter throws. */
function throughFilters(call: (...args: unknown[]) => Promise<unknown>, filters: Filters) {
  return async (...args: unknown[]): Promise<unknown> => {
    try {
      return await call(...args);
    } catch (thrown) {
      const answer: unknown = await filters.invokeCustomFilters(thrown, hostOf(args));
      const settlement: unknown = isObservable(answer)
        ? await lastValueFrom(answer, { defaultValue: undefined })
        : answer;
      if (isSettlement(settlement)) return settlement;
      throw thrown;
    }
  };
}

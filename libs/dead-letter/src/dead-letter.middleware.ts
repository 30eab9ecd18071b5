import {
  asError,
  type Clock,
  type DeadLetter,
  type DeadLetterSink,
  errorChain,
  type FailureRecord,
  type HandlerDefinition,
  type MessageContext,
  type Middleware,
  reject,
  retry,
  type Settlement,
  silentLogger,
  systemClock,
  type TidingsLogger,
  timestampOf,
} from '@tidings/core';
import type { FailureStory } from './dead-letters';

export interface DeadLetterMiddlewareOptions {
  /** Where the letters of a store's handlers go; undefined: nowhere, the transport files what is rejected. */
  readonly sinkOf: (storeName: string) => (DeadLetterSink & Partial<FailureStory>) | undefined;
  /** Tells this process in a letter's story. */
  readonly instance: string;
  /** Default: this process's. */
  readonly clock?: Clock;
  /** Hears when a story could not be written. Default silent. */
  readonly logger?: TidingsLogger;
  /** A message that could not be buried comes again after this, uncounted. Default 1,000. */
  readonly againAfterMs?: number;
}

/**
 * Buries what is rejected, then accepts it: the letter is durable before the message leaves its transport. When it cannot be buried the message is
 * retried, uncounted, so it is never lost; it may be handled once more then, and may even succeed.
 *
 * Belongs around the retry middleware. Failed attempts that will be retried are noted with the sink, if it can, so that the letter tells them all;
 * a note that cannot be written is only logged: the story is worth less than the message.
 */
export function deadLetterMiddleware(options: DeadLetterMiddlewareOptions): Middleware {
  const { sinkOf, instance, clock = systemClock, logger = silentLogger, againAfterMs = 1_000 } = options;
  const told = async <T>(context: MessageContext, telling: Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await telling;
    } catch (thrown) {
      logger.warn({ message: context.message.id, err: asError(thrown) }, 'a failed attempt could not be noted');
      return undefined;
    }
  };
  return async (context, next) => {
    let settlement = await next();
    let noted = false;
    const sink = sinkOf(context.handler.store);
    if (!sink) return settlement;
    if (settlement.kind === 'retry' && settlement.counted) {
      const failures = failuresOf(context, settlement, instance, clock);
      const elapsedMs = await told(context, sink.note?.({ ...identityOf(context), failures }));
      const overdue = overdueOf(context.handler.retry, settlement, elapsedMs);
      if (overdue !== undefined) {
        noted = true; // the letter begins with them
        settlement = reject(overdue, settlement.error);
      }
    }
    if (settlement.kind === 'accept' && context.delivery.attempt > 1)
      await told(context, sink.forget?.(identityOf(context)));
    if (settlement.kind !== 'reject') return settlement;
    try {
      await sink.bury({
        ...identityOf(context),
        transport: context.handler.transport,
        handler: context.handler.name,
        reason: settlement.reason,
        attempts: context.attempt,
        failures: noted ? [] : failuresOf(context, settlement, instance, clock),
      });
      return { kind: 'accept', buried: settlement.reason };
    } catch (thrown) {
      return retry(againAfterMs, { counted: false, error: asError(thrown) });
    }
  };
}

/** Why a retry comes too late for its policy; undefined when it does not. What could not be noted has no time, and is retried. */
function overdueOf(
  { maxElapsedMs }: HandlerDefinition['retry'],
  { afterMs, error }: Extract<Settlement, { kind: 'retry' }>,
  elapsedMs: number | undefined,
): string | undefined {
  if (maxElapsedMs === undefined || elapsedMs === undefined || elapsedMs + afterMs <= maxElapsedMs) return undefined;
  const last = error ? `, the last with: ${error.message}` : '';
  return `gave up ${Math.round(elapsedMs)} ms after the first failure: a retry in ${afterMs} ms would be past maxElapsedMs ${maxElapsedMs}${last}`;
}

const identityOf = ({ handler, message }: MessageContext): Pick<DeadLetter, 'direction' | 'place' | 'message'> => ({
  direction: 'inbound',
  place: handler.subscription.group,
  message,
});

/** What this delivery failed with: all that was thrown, and what a settlement says that nothing was thrown for. */
function failuresOf(
  { failures, attempt }: MessageContext,
  settlement: Extract<Settlement, { kind: 'reject' | 'retry' }>,
  instance: string,
  clock: Clock,
): FailureRecord[] {
  const records = failures.map((failure) => ({
    attempt: failure.attempt,
    at: failure.at,
    instance,
    errors: errorChain(failure.error),
  }));
  const { error } = settlement;
  if (error ? failures.some((failure) => failure.error === error) : failures.length > 0) return records;
  const reason = settlement.kind === 'reject' ? settlement.reason : 'the handler asked for a retry';
  const errors = error ? errorChain(error) : [{ name: 'Settlement', message: reason }];
  return [...records, { attempt, at: timestampOf(clock.now()), instance, errors }];
}

import {
  asError,
  type MessageContext,
  type Middleware,
  OptionsError,
  reject,
  release,
  retry,
  silentLogger,
  type TidingsLogger,
} from '@tidings/core';
import type { AttemptLedger } from './attempt-ledger';
import type { LetterIdentity } from './letter-key';
import { Turns } from './turns';

export interface PoisonOptions {
  /**
   * Deaths on record after which a message is dead-lettered instead of handled. Default 3. The first death of all is on no record: nothing made the
   * message a suspect before it.
   */
  readonly after?: number;
}

export interface PoisonMiddlewareOptions extends PoisonOptions {
  /** Where the attempts of a store's handlers are remembered; undefined: nowhere. */
  readonly ledgerOf: (storeName: string) => AttemptLedger | undefined;
  /** Tells this process in a letter's story. */
  readonly instance: string;
  /** Hears when an attempt could not be ended. Default silent. */
  readonly logger?: TidingsLogger;
  /** A suspect that could not be noted comes again after this, uncounted. Default 1,000. */
  readonly againAfterMs?: number;
}

export interface PoisonMiddlewares {
  /** Belongs around the dead letter: a record is kept until the letter is durable. */
  readonly record: Middleware;
  /** Belongs inside of the dead letter, around the retry: rejects what is condemned. */
  readonly verdict: Middleware;
}

/**
 * Buries what kills its process. No handler can report its own process's death, so a record of the attempt is committed before the handler begins and
 * deleted when the message is settled. It costs two statements, and only suspects pay: messages that were delivered before (by the broker's
 * redelivered bit, or because a lane was taken from an owner who did not hand it back).
 *
 * Who is charged for a crash: every suspect that was in a handler. After one death a message is handled only while no other such message is, in this
 * process; so from the second crash on, the one that kills is charged alone, and its neighbours are charged once at most: with `after` of 2 or more
 * they are not buried with it. Of an
 * `@OnMessages` batch the killer alone is charged, from the first: what was redelivered comes in a batch of its own. What is not redelivered is never charged. Settling in whatever way forgets all deaths.
 */
export function poisonMiddlewares(options: PoisonMiddlewareOptions): PoisonMiddlewares {
  const { ledgerOf, instance, after = 3, logger = silentLogger, againAfterMs = 1_000 } = options;
  if (!Number.isInteger(after) || after < 1)
    throw new OptionsError('poison.after', `must be a whole number from 1, found ${after}`);
  const condemned = new WeakMap<MessageContext, string>();
  const turns = new Turns();

  const underRecord = async (context: MessageContext, ledger: AttemptLedger, next: () => ReturnType<Middleware>) => {
    const letter = identityOf(context);
    let done = (): void => undefined;
    try {
      let begun = await ledger.begin(letter, instance);
      if (begun.deaths > 0 && begun.deaths < after) {
        await ledger.withdraw(letter, instance); // while it waits, a crash is not its own
        done = await turns.take();
        if (context.signal.aborted) return (done(), release);
        begun = await ledger.begin(letter, instance);
      }
      if (begun.deaths >= after) condemned.set(context, reasonOf(begun.deaths, begun.instances));
    } catch (thrown) {
      done();
      return retry(againAfterMs, { counted: false, error: asError(thrown) });
    }
    let buried = true;
    try {
      const settlement = await next();
      buried = settlement.kind === 'accept';
      return settlement;
    } finally {
      done();
      // What is condemned and not buried yet keeps its deaths.
      const ending = buried || !condemned.has(context) ? ledger.end(letter) : ledger.withdraw(letter, instance);
      await ending.catch((thrown: unknown) => {
        const err = asError(thrown);
        logger.warn({ message: context.message.id, err }, 'an attempt could not be ended: it may count as a death');
      });
    }
  };

  return {
    record: (context, next) => {
      const ledger = isSuspect(context) ? ledgerOf(context.handler.store) : undefined;
      return ledger ? underRecord(context, ledger, next) : next();
    },
    verdict: (context, next) => {
      const reason = condemned.get(context);
      return reason === undefined ? next() : Promise.resolve(reject(reason));
    },
  };
}

/** A broadcast's copies would be charged for each other; what is accepted first never comes again. */
const isSuspect = ({ delivery, handler: { level, subscription } }: MessageContext): boolean =>
  delivery.redelivered && level !== 'atMostOnce' && !subscription.broadcast;

const identityOf = ({ handler, message }: MessageContext): LetterIdentity => ({
  direction: 'inbound',
  place: handler.subscription.group,
  message,
});

const reasonOf = (deaths: number, instances: readonly string[]): string =>
  `poison: killed its process ${deaths} times (${instances.join(', ')})`;

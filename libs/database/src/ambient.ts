import { NotInTransactionError, OptionsError } from '@tidings/core';
import type { ClientTransaction } from './client-transaction';

/**
 * Whoever knows which transaction is open where code runs, something on AsyncLocalStorage: `clsAmbient(txHost)` for nestjs-cls, or one of your own,
 * `{ current: () => storage.getStore(), enter: (transaction, work) => storage.run(transaction, work) }`.
 */
export interface Ambient<Joined extends ClientTransaction = ClientTransaction> {
  /** The handle of the transaction that is open here, in any form that `outbox.within` takes; undefined when none is. Must not throw. */
  current(): unknown;
  /**
   * Runs `work` with this transaction as the current one and resolves or rejects as `work` does. Tidings calls it around each handler, with the
   * handler's transaction. It must neither begin, commit nor roll back anything.
   */
  enter<T>(transaction: Joined, work: () => Promise<T>): Promise<T>;
}

/** @throws OptionsError below `subject`. */
export function checkAmbient<Joined extends ClientTransaction>(
  subject: string,
  ambient: Ambient<Joined> | undefined,
): Ambient<Joined> | undefined {
  if (ambient === undefined || (isFunction(ambient, 'current') && isFunction(ambient, 'enter'))) return ambient;
  throw new OptionsError(
    `${subject}.ambient`,
    `expected { current, enter }, as clsAmbient(txHost) makes it, found ${typeof ambient} without them`,
  );
}

/** @throws NotInTransactionError that tells whether the option or the transaction is missing. */
export function currentOf(ambient: Ambient<never> | undefined, store: string): unknown {
  if (!ambient) {
    throw new NotInTransactionError(
      `nothing to find it by: ${store} has no ambient`,
      'use outbox.within(handle).publish(…), or give the store an ambient, as clsAmbient(txHost) for @Transactional() of nestjs-cls',
    );
  }
  const handle = ambient.current();
  if (handle !== undefined) return handle;
  throw new NotInTransactionError(
    'no transaction that is current here',
    'publish inside of a method with @Transactional(), or use outbox.within(handle).publish(…)',
  );
}

const isFunction = (ambient: object, name: string): boolean =>
  typeof (ambient as Record<string, unknown>)[name] === 'function';

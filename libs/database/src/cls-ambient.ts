import { TidingsError } from '@tidings/core';
import type { Ambient } from './ambient';
import { JOIN, type JoinOptions } from './joinable';
import type { TypeormTransaction } from './typeorm-transaction';

/** The part of nestjs-cls's TransactionHost that matters here, by its shape. */
export interface TransactionHostLike {
  readonly tx: unknown;
  withTransaction<T>(propagation: never, options: JoinOptions, work: () => Promise<T>): Promise<T>;
}

/**
 * Always takes the options into account, whatever is current already: a broker in the same process may hand a message over from within the publisher's
 * own context.
 */
const REQUIRES_NEW = 'REQUIRES_NEW' as never;

/**
 * The ambient of a TypeORM store for `@Transactional()` of @nestjs-cls/transactional: `typeorm(dataSource, { ambient: clsAmbient(txHost) })`.
 * `outbox.publish(…)` then joins the method's transaction, and a method that a handler calls joins the handler's, by its propagation: Required and
 * Supports join it, Nested makes a savepoint in it, RequiresNew takes a connection of its own.
 *
 * The plugin's adapter must be `joinable(…)`; else every handler fails with TIDINGS_AMBIENT.
 */
export const clsAmbient = (txHost: TransactionHostLike): Ambient<TypeormTransaction> => ({
  current: () => txHost.tx,
  enter: ({ manager }, work) =>
    txHost.withTransaction(REQUIRES_NEW, { [JOIN]: manager }, async () => {
      if (txHost.tx === manager) return work();
      throw new TidingsError(
        'TIDINGS_AMBIENT',
        "clsAmbient: expected the handler's transaction to become nestjs-cls's current one, found another; make the plugin's adapter joinable: " +
          'new ClsPluginTransactional({ adapter: joinable(new TransactionalAdapterTypeOrm(…)) })',
      );
    }),
});

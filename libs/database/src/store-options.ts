import { OptionsError, silentLogger, type TidingsLogger } from '@tidings/core';
import type { PoolConfig } from 'pg';
import type { Ambient } from './ambient';
import type { ClientTransaction } from './client-transaction';

export interface StoreOptions<Joined extends ClientTransaction = ClientTransaction> {
  /** Where Tidings' tables are. Default `tidings`. Several services may share a database, each with a schema of its own. */
  readonly schema?: string;
  /** Tidings' own connections at most, beside one for LISTEN when something listens. Default 4. */
  readonly connections?: number;
  /**
   * How to reach the server, where it differs from the user's pool. Needed when that pool goes through a transaction-mode pooler (PgBouncer): Tidings'
   * own connections LISTEN and set start-up parameters, which such a pooler does not carry.
   */
  readonly connection?: PoolConfig;
  /**
   * Whether statements in the user's transactions are prepared by name, which saves the server their planning. Default: true, but false with
   * `connection`: behind a transaction-mode pooler the next transaction is on a server connection that does not know the name. Set it where the
   * pooler keeps track of names (PgBouncer's `max_prepared_statements`).
   */
  readonly preparedStatements?: boolean;
  /**
   * How to find the transaction that is open where a publish is called, for `outbox.publish(…)` without `within`: `clsAmbient(…)` for
   * `@Transactional()` of nestjs-cls. Default: none, every publish is told its transaction.
   */
  readonly ambient?: Ambient<Joined>;
  /** Hears of lost connections. Default silent: they are mended. */
  readonly logger?: TidingsLogger;
}

export interface CheckedStoreOptions {
  readonly schema: string;
  readonly connections: number;
  readonly connection: PoolConfig | undefined;
  readonly preparedStatements: boolean;
  readonly logger: TidingsLogger;
}

/** PostgreSQL cuts longer names silently, so that two schemas could become one. */
const MAX_NAME_BYTES = 63;

/** @throws OptionsError that names the bad option below `subject`. */
export function checkStoreOptions(subject: string, options: Omit<StoreOptions, 'ambient'>): CheckedStoreOptions {
  const { schema = 'tidings', connections = 4, connection, logger = silentLogger } = options;
  const { preparedStatements = connection === undefined } = options;
  if (
    typeof schema !== 'string' ||
    schema === '' ||
    Buffer.byteLength(schema) > MAX_NAME_BYTES ||
    schema.includes('\0')
  ) {
    throw new OptionsError(
      `${subject}.schema`,
      `expected a name of 1 to ${MAX_NAME_BYTES} bytes, found ${JSON.stringify(schema)}`,
    );
  }
  if (!Number.isInteger(connections) || connections < 1) {
    throw new OptionsError(
      `${subject}.connections`,
      `expected a whole number of 1 or more, found ${String(connections)}`,
    );
  }
  return { schema, connections, connection, preparedStatements, logger };
}

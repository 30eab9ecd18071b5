import { TidingsError } from '@tidings/core';

/** Tidings' own connections go through a pooler that does not keep a session: LISTEN and start-up settings would be lost in it. */
export class PoolerError extends TidingsError {
  constructor(schema: string, cause?: Error) {
    super(
      'TIDINGS_POOLER',
      `store ${schema}: expected Tidings' own connections to reach the server with their start-up settings, found ` +
        `${cause ? `a pooler that refuses them (${cause.message})` : 'them dropped on the way, as a transaction-mode pooler does'}; ` +
        'give the store a direct one: typeorm(dataSource, { connection: { connectionString: … } }); the pool itself may stay behind the pooler',
      cause && { cause },
    );
  }
}

/** PgBouncer's answer to a start-up parameter that it was not told to ignore. */
export const refusedByPooler = (thrown: unknown): boolean =>
  thrown instanceof Error && /unsupported startup parameter/.test(thrown.message);

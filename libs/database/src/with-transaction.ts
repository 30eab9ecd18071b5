import { asError, TidingsError, TimeoutError } from '@tidings/core';
import type { Pool, PoolClient } from 'pg';

/** A transaction did not commit although the work in it resolved. Another try may succeed. */
export class NotCommittedError extends TidingsError {
  constructor(found: string) {
    super(
      'TIDINGS_NOT_COMMITTED',
      `expected an open transaction to commit, found ${found}; it was rolled back: let errors of statements reject the work`,
    );
  }
}

/** COMMIT of a failed transaction rolls back without an error: whoever swallowed a statement's error would take lost work for done. */
export function assertCommittable(client: Pick<PoolClient, 'getTransactionStatus'>): void {
  const status = client.getTransactionStatus();
  if (status === 'E') throw new NotCommittedError('one in which a statement failed');
  if (status !== 'T') throw new NotCommittedError('one that the work itself had ended');
}

/**
 * Runs `work` in a transaction on a client of the pool: commits when it resolves, rolls back when it rejects, and passes on what it rejected with.
 * When the connection breaks during COMMIT, nobody knows the outcome: it rejects, and the work must be fit to run again.
 *
 * Work that rejects with TimeoutError may still be at it: its connection is ended, so that nothing of it commits, now or later.
 *
 * Concurrency: each call takes one client for as long as `work` runs. Do not take a second one in there: a pool of N dead-locks at N such calls.
 *
 * @throws NotCommittedError when the work resolved but nothing could be committed.
 */
export const withTransaction = <T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> =>
  inTransaction(pool, (client) => client.query('begin'), work);

/** The same with a BEGIN of the caller's, whose answer is given to `work`. Also when `begin` rejects, a transaction that it opened is rolled back. */
export async function inTransaction<T, Begun>(
  pool: Pool,
  begin: (client: PoolClient) => Promise<Begun>,
  work: (client: PoolClient, begun: Begun) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A client that is checked out has no listener of the pool's: a lost connection between two statements would end the process.
  const onError = (error: Error): void => void (broken ??= error);
  client.on('error', onError);
  try {
    const result = await work(client, await begin(client));
    assertCommittable(client);
    const { command } = await client.query('commit');
    if (command !== 'COMMIT')
      throw new NotCommittedError(`one in which a statement failed (the server answered ${command} to COMMIT)`);
    return result;
  } catch (thrown) {
    // Work that timed out goes on, and may hold the client: ending it is the only way to take the transaction from it, and needs no answer.
    if (thrown instanceof TimeoutError) broken ??= thrown;
    // A client that cannot even roll back goes back as broken, else the next user of the pool would inherit the transaction.
    if (!broken) await client.query('rollback').catch((error: unknown) => void (broken = asError(error)));
    throw thrown;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

import { asError, type Store } from '@tidings/core';

export type TransactionStatus = 'in progress' | 'committed' | 'aborted' | 'unknown';

/** invalid_parameter_value: the number has not been given yet, so it is of another server, before a restore. */
const IN_THE_FUTURE = '22023';

/**
 * How a transaction stands, by its number (xid8). `unknown`: so old that the server has forgotten, or of the server before a restore; over in any case.
 * Looks before whoever asks looks at business data: what is seen as over is then also seen there.
 */
export async function readTransactionStatus(store: Store, xid: string): Promise<TransactionStatus> {
  try {
    const { rows } = await store.query<{ status: TransactionStatus | null }>({
      text: `select pg_xact_status($1::xid8) as status`,
      values: [xid],
    });
    return rows[0]?.status ?? 'unknown';
  } catch (thrown) {
    if ((asError(thrown) as { code?: string }).code === IN_THE_FUTURE) return 'unknown';
    throw thrown;
  }
}

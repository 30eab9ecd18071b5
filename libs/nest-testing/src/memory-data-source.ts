import { TidingsError } from '@tidings/core';
import type { TidingsHarness } from './tidings-harness';

/** As much of a TypeORM DataSource as opens a transaction. */
export interface MemoryDataSource {
  readonly options: { readonly type: 'postgres' };
  readonly isInitialized: true;
  /** `work` gets the manager of the option `handles`, else something that an outbox can join and nothing else. As in TypeORM, an isolation level may come first. */
  transaction<T>(...isolationAndWork: readonly unknown[]): Promise<T>;
  destroy(): Promise<void>;
}

export function memoryDataSource(harnessOf: () => Pick<TidingsHarness, 'transaction'> | undefined): MemoryDataSource {
  return {
    options: { type: 'postgres' },
    isInitialized: true,
    transaction<T>(...isolationAndWork: readonly unknown[]) {
      const harness = harnessOf();
      if (!harness)
        throw new TidingsError(
          'TIDINGS_TEST_DATA_SOURCE',
          'expected an application that imports this TidingsTestingModule, found none yet; import it, and compile first',
        );
      const work = isolationAndWork.at(-1) as (manager: unknown) => Promise<T>;
      return harness.transaction((transaction) => work('manager' in transaction ? transaction.manager : transaction));
    },
    destroy: async () => undefined,
  };
}

import type { Store } from '@tidings/core';
import { postgresLetters } from './letter-table';
import { TableDeadLetters, type TableDeadLettersOptions } from './table-dead-letters';

/** Dead letters in a store's database. All statements but an import's go by Tidings' own connections: burying must not wait for the handlers' pool. */
export class PostgresDeadLetters extends TableDeadLetters {
  constructor(store: Store, options: TableDeadLettersOptions = {}) {
    super(postgresLetters(store), options);
  }
}

import type { ClientBase } from 'pg';
import type { EntityManager } from 'typeorm';
import { ClientTransaction } from './client-transaction';

/** A transaction of TypeORM's. Statements of `query` go straight to its connection, past TypeORM's query building, logging and subscribers. */
export class TypeormTransaction extends ClientTransaction {
  constructor(
    client: ClientBase,
    /** Bound to the transaction: what it saves commits with it. */
    readonly manager: EntityManager,
    prepared = true,
  ) {
    super(client, prepared);
  }
}

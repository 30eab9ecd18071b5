import { NotInTransactionError } from '@tidings/core';
import type { ClientBase } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

/** TypeORM is imported for its types only, so handles are told by their shape: an app without TypeORM must not load it. */
function managerIn(handle: unknown): EntityManager | undefined {
  if (typeof handle !== 'object' || handle === null) return undefined;
  // A QueryRunner, a Repository and our own transaction all have their manager; an EntityManager is one.
  const candidate = 'manager' in handle ? handle.manager : handle;
  return typeof candidate === 'object' && candidate !== null && 'getRepository' in candidate
    ? (candidate as EntityManager)
    : undefined;
}

/** 0.3 has only `connection`, 1.x deprecates it. */
const dataSourceOf = (manager: EntityManager): DataSource | undefined =>
  'dataSource' in manager ? manager.dataSource : (manager as { connection?: DataSource }).connection;

/**
 * The QueryRunner of an open transaction and its pg client.
 *
 * @throws NotInTransactionError that tells what the handle is instead.
 */
export function openRunnerOf(
  handle: unknown,
  dataSource: DataSource,
): { readonly runner: QueryRunner; readonly client: ClientBase } {
  const manager = managerIn(handle);
  if (!manager) throw new NotInTransactionError(nameOf(handle));
  const runner = manager.queryRunner;
  if (!runner)
    throw new NotInTransactionError(`${nameOf(handle)} outside a transaction (the DataSource's own manager?)`);
  // Compared by driver: libraries that make transactions ambient hand out proxies of the DataSource.
  if (dataSourceOf(manager)?.driver !== dataSource.driver)
    throw new NotInTransactionError(`${nameOf(handle)} of another DataSource than the store's`);
  if (runner.isReleased) throw new NotInTransactionError(`${nameOf(handle)} whose QueryRunner was released`);
  if (!runner.isTransactionActive)
    throw new NotInTransactionError(`${nameOf(handle)} whose QueryRunner has no transaction`);
  const { databaseConnection } = runner as QueryRunner & { databaseConnection?: ClientBase };
  if (!databaseConnection)
    throw new NotInTransactionError(`${nameOf(handle)} whose transaction has not begun (await startTransaction)`);
  return { runner, client: databaseConnection };
}

const nameOf = (handle: unknown): string =>
  typeof handle === 'object' && handle !== null ? `a ${handle.constructor?.name ?? 'plain object'}` : String(handle);

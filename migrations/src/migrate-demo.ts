import { DataSource } from 'typeorm';
import { migrate, typeorm } from '@tidings/database';
import { messagingMigrations } from '@tidings/messaging';
import { demoMigrations } from './demo-migrations';

/** Any number that nobody else in this database locks. */
const LOCK = 5_417_003_001;

/**
 * Brings a database up to date: the tables of `migrations` (default: of all of the demo's apps that share one) and Tidings'. Idempotent and safe from several processes at once: the second
 * one waits for the first. Resolves with the names of what it applied.
 */
export async function migrateDemo(databaseUrl: string, migrations = demoMigrations): Promise<string[]> {
  const dataSource = new DataSource({
    type: 'postgres',
    url: databaseUrl,
    schema: 'demo',
    migrations: [...migrations],
    migrationsTableName: 'migration',
    applicationName: 'migrate-demo',
    poolSize: 3, // the lock's session, a migration, Tidings' migrations
  });
  await dataSource.initialize();
  try {
    return await underLock(dataSource, async () => {
      await dataSource.query('create schema if not exists demo');
      const own = await dataSource.runMigrations({ transaction: 'each' });
      return [...own.map((migration) => migration.name), ...(await migrateTidings(dataSource))];
    });
  } finally {
    await dataSource.destroy();
  }
}

async function underLock<T>(dataSource: DataSource, work: () => Promise<T>): Promise<T> {
  const session = dataSource.createQueryRunner();
  try {
    await session.query('select pg_advisory_lock($1)', [LOCK]);
    return await work();
  } finally {
    await session.query('select pg_advisory_unlock_all()').finally(() => session.release());
  }
}

async function migrateTidings(dataSource: DataSource): Promise<string[]> {
  const store = typeorm(dataSource);
  try {
    return await migrate(store, messagingMigrations);
  } finally {
    await store.close();
  }
}

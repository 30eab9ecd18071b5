import { randomBytes } from 'node:crypto';
import type { Migration } from '@tidings/core';
import { describeOn } from '@tidings/testing';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { MigrationError, migrate, pendingMigrations } from './migrator';
import { pg, type PgStore } from './pg-store';
import { typeormMigration } from './typeorm-migration';

const first: Migration = {
  id: 'spec/0001-create',
  up: (schema) => `create table ${schema}.a (at timestamptz default ${schema}.now()); create table ${schema}.b ();`,
};
const second: Migration = { id: 'spec/0002-more', up: (schema) => `create table ${schema}.c ();` };
const broken: Migration = { id: 'spec/0003-broken', up: (schema) => `create table ${schema}.d (); select nonsense;` };

describeOn('postgres', 'migrate', (url) => {
  // A quote in the name: nothing may paste it into SQL unquoted.
  const schema = `migrate "${randomBytes(4).toString('hex')}`;
  const quotedSchema = `"${schema.replace('"', '""')}"`;
  const pools: Pool[] = [];
  const stores: PgStore[] = [];

  beforeAll(() => {
    for (let i = 0; i < 2; i++) {
      const pool = new Pool({ connectionString: url });
      pools.push(pool);
      stores.push(pg(pool, { schema }));
    }
  });
  afterEach(() => stores[0]!.query({ text: `drop schema if exists ${quotedSchema} cascade` }));
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await Promise.all(pools.map((pool) => pool.end()));
  });

  it('applies what is missing, in order, the clock first, once', async () => {
    const [store] = stores as [PgStore];
    expect(await pendingMigrations(store, [first])).toEqual(['core/0001-create-clock', first.id]);
    expect(await migrate(store, [first])).toEqual(['core/0001-create-clock', first.id]);
    expect(await migrate(store, [first])).toEqual([]);
    expect(await pendingMigrations(store, [first, second])).toEqual([second.id]);
    expect(await migrate(store, [first, second, second])).toEqual([second.id]);
  });

  it('is safe from several at once: each migration is applied by one of them', async () => {
    const runs = await Promise.all([...stores, ...stores].map((store) => migrate(store, [first, second])));
    expect(runs.flat().sort()).toEqual(['core/0001-create-clock', first.id, second.id]);
  });

  it('names the migration that failed and leaves nothing of the run behind', async () => {
    const [store] = stores as [PgStore];
    const failure = await migrate(store, [first, broken]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MigrationError);
    expect(failure).toMatchObject({
      migration: broken.id,
      message: expect.stringContaining(broken.id) as unknown,
      cause: { code: '42703' },
    });
    expect(await pendingMigrations(store, [first])).toHaveLength(2);
  });

  it('runs as a TypeORM migration, which migrate then knows', async () => {
    const CreateTidings = typeormMigration('CreateTidings1760000000000', [first], { schema });
    const dataSource = await new DataSource({
      type: 'postgres',
      url,
      migrations: [CreateTidings],
      migrationsTableName: `typeorm_${randomBytes(4).toString('hex')}`,
    }).initialize();
    expect((await dataSource.runMigrations()).map(({ name }) => name)).toEqual(['CreateTidings1760000000000']);
    expect(await migrate(stores[0]!, [first, second])).toEqual([second.id]);
    await expect(dataSource.undoLastMigration()).rejects.toThrow('drop schema');
    await dataSource.query(`drop table ${String(dataSource.options.migrationsTableName)}`);
    await dataSource.destroy();
    expect(() => typeormMigration('CreateTidings', [])).toThrow('13 digits');
  });
});

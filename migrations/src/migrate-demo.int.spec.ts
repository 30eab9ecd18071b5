import { DataSource } from 'typeorm';
import { describeOn } from '@tidings/testing';
import { createDemoDatabase, type DemoDatabase } from './demo-database';
import { demoMigrations } from './demo-migrations';
import { migrateDemo } from './migrate-demo';

describeOn('postgres', 'migrating the demo', (server) => {
  let database: DemoDatabase;
  let dataSource: DataSource;

  beforeEach(async () => {
    database = await createDemoDatabase(server);
    dataSource = await new DataSource({
      type: 'postgres',
      url: database.url,
      schema: 'demo',
      migrations: [...demoMigrations],
      migrationsTableName: 'migration',
    }).initialize();
  });

  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('makes a schema an app, and Tidings its own', async () => {
    const schemas: { name: string }[] = await dataSource.query('select nspname as name from pg_namespace');
    expect(schemas.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['gift_api', 'ranking', 'revenue_share', 'badges', 'demo', 'tidings']),
    );
  });

  it('opens four rooms', async () => {
    const rooms: { room_id: string }[] = await dataSource.query('select room_id from gift_api.room order by room_id');
    expect(rooms.map((room) => room.room_id)).toEqual(['chess', 'kitchen', 'lofi', 'speedrun']);
  });

  it('does nothing the second time', async () => {
    expect(await migrateDemo(database.url)).toEqual([]);
  });

  it('is applied once when several apps start at the same time', async () => {
    await dataSource.query('drop schema demo, gift_api, ranking, revenue_share, badges, tidings cascade');
    const applied = await Promise.all([1, 2, 3].map(() => migrateDemo(database.url)));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
  });

  it('goes down to where it came from', async () => {
    for (const _ of demoMigrations) await dataSource.undoLastMigration();
    const left: unknown[] = await dataSource.query(
      "select nspname from pg_namespace where nspname in ('gift_api', 'ranking', 'revenue_share', 'badges')",
    );
    expect(left).toEqual([]);
  });
});

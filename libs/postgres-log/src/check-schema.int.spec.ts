import { randomUUID } from 'node:crypto';
import { createClock, type Migration, type Store } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { describeOn } from '@tidings/testing';
import { Pool } from 'pg';
import { checkSchema } from './check-schema';
import { postgresLogMigrations } from './migrations';

const step = (id: string): Migration => ({ id, up: () => 'select 1' });
const mine = [...postgresLogMigrations, step('inbox/0001-create-inbox'), step('inbox/0002-add-buckets')];

describeOn('postgres', 'the check of a schema', (url) => {
  let pool: Pool;
  let store: Store;
  beforeEach(() => {
    pool = new Pool({ connectionString: url, max: 2 });
    store = pg(pool, { schema: `spec_check_${randomUUID().slice(0, 8)}` });
  });
  afterEach(async () => {
    await pool.query(`drop schema if exists ${store.schema} cascade`);
    await store.close();
    await pool.end();
  });

  it('refuses a database without the schema, and names what to do', async () => {
    await expect(checkSchema(store)).rejects.toMatchObject({
      code: 'TIDINGS_SCHEMA',
      missing: [createClock, ...postgresLogMigrations].map(({ id }) => id),
      message: expect.stringContaining('run migrate(store, messagingMigrations)'),
    });
  });

  it('accepts what migrate made', async () => {
    await migrate(store, mine);
    await expect(checkSchema(store, mine)).resolves.toBeUndefined();
    await expect(checkSchema(store)).resolves.toBeUndefined();
  });

  it('refuses an older schema, naming each migration that it lacks, of whatever package', async () => {
    await migrate(store, mine.slice(0, -1));
    await expect(checkSchema(store, mine)).rejects.toThrow(`schema ${store.schema} lacks inbox/0002-add-buckets; run`);
  });

  it('accepts a newer schema, so that this version runs on while the next is rolled out', async () => {
    await migrate(store, [...mine, step('inbox/0003-add-index'), step('callback/0001!-create-callback')]);
    await expect(checkSchema(store, mine)).resolves.toBeUndefined();
  });

  it('refuses a newer schema after a breaking migration of a package that it uses', async () => {
    await migrate(store, [...mine, step('inbox/0003!-drop-old-buckets')]);
    await expect(checkSchema(store, mine)).rejects.toMatchObject({ missing: [], unknown: ['inbox/0003!-drop-old-buckets'] }); // prettier-ignore
    await expect(checkSchema(store)).resolves.toBeUndefined();
    await expect(checkSchema(store, [...mine, step('inbox/0003!-drop-old-buckets')])).resolves.toBeUndefined();
  });

  it('does not take a database that does not answer for one without tables', async () => {
    await store.close();
    await expect(checkSchema(store)).rejects.not.toMatchObject({ code: 'TIDINGS_SCHEMA' });
  });
});

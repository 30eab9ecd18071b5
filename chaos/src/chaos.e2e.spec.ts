import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeOn } from '@tidings/testing';
import { Client } from 'pg';

const ROOT = resolve(__dirname, '../..');
const SEED = '20250';

/** Runs of a few seconds: a clean one proves little (CI has a longer one), a sabotaged one must be seen. */
describeOn('postgres', 'a chaos run', (url) => {
  const chaos = (...args: string[]) => {
    const command = [join(ROOT, 'scripts/chaos.mjs'), '--transport', 'postgres', '--seed', SEED, '--json', ...args];
    const { status, stdout } = spawnSync(process.execPath, command, {
      encoding: 'utf8',
      env: { ...process.env, DATABASE_URL: url },
    });
    return { status, figures: JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as Record<string, unknown> };
  };

  afterAll(() => rmSync(join(ROOT, '.tidings', 'chaos', SEED), { recursive: true, force: true }));

  it.each([
    ['no-order', 'outOfOrder'],
    ['own-transaction', 'appliedThoughRolledBack'],
  ])(
    'notices %s',
    (sabotage, figure) => {
      const { status, figures } = chaos('--seconds', '5', '--sabotage', sabotage);
      expect(figures).toMatchObject({ chaos: 'postgres', seed: Number(SEED), ok: false, lost: 0, crashes: 0 });
      expect(figures[figure]).toBeGreaterThan(0);
      expect(status).toBe(1);
    },
    120_000,
  );

  it('leaves no database behind', async () => {
    const client = new Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query('select datname from pg_database where datname like $1', [
      `chaos\\_postgres\\_${SEED}\\_%`,
    ]);
    await client.end();
    expect(rows).toEqual([]);
  });
});

import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { quoted, systemClock } from '@tidings/core';
import { migrate, pg } from '@tidings/database';
import { postgresLogMigrations } from '@tidings/postgres-log';
import { describeOn, until } from '@tidings/testing';
import { Pool } from 'pg';
import { messagingMigrations } from './messaging-runtime';
import type { ClockOrders, ClockReport, PublishOrder } from './wrong-clock-process.fixture';

const HOUR = 3_600_000;
const DELAY_MS = 3_000;

interface Effect {
  readonly id: string;
  readonly room: string;
  readonly coins: number;
  readonly bucket: string;
  readonly today: string;
  readonly pid: number;
}

describeOn('postgres', 'processes whose clocks are wrong', (url) => {
  const schema = `clock_${randomBytes(4).toString('hex')}`;
  const broker = `${schema}_broker`;
  const pool = new Pool({ connectionString: url, max: 2 });
  const children: { child: ChildProcess; reports: ClockReport[] }[] = [];

  beforeEach(async () => {
    for (const [name, migrations] of [
      [schema, messagingMigrations],
      [broker, postgresLogMigrations],
    ] as const) {
      const store = pg(pool, { schema: name, connections: 1 });
      await migrate(store, migrations);
      await store.close();
    }
    await pool.query(
      `create table ${schema}.effect (id text primary key, room text, coins int, bucket date, pid int, at timestamptz default clock_timestamp())`,
    );
  });
  afterEach(async () => {
    for (const { child } of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    for (const name of [schema, broker]) await pool.query(`drop schema ${quoted(name)} cascade`);
  });
  afterAll(() => pool.end());

  const start = async (shiftMs: number) => {
    const testing = join(__dirname, '../../testing');
    const child = fork(join(__dirname, 'wrong-clock-process.fixture.ts'), {
      execArgv: ['--require', join(testing, 'shifted-clock.cjs'), '--require', join(testing, 'register-sources.cjs')],
      env: { ...process.env, TIDINGS_CLOCK_SHIFT_MS: String(shiftMs) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const reports: ClockReport[] = [];
    children.push({ child, reports });
    child.on('message', (report: ClockReport) => reports.push(report));
    child.send({ url, schema, broker } satisfies ClockOrders);
    await until('it runs', () => reports.length > 0, { withinMs: 60_000 });
    expect(Math.abs(reports[0]!.now - systemClock.now() - shiftMs)).toBeLessThan(60_000); // its clock is wrong indeed
    let published = 0;
    return {
      child,
      publish: async (order: PublishOrder): Promise<void> => {
        child.send(order);
        published += 1;
        await until('published', () => reports.length > published, { withinMs: 30_000 });
      },
    };
  };
  const effects = async (): Promise<Effect[]> => {
    const { rows } = await pool.query<Effect>(
      `select id, room, coins, bucket::text, (at at time zone 'UTC')::date::text as today, pid from ${schema}.effect order by at`,
    );
    return rows;
  };
  /** Raised by each take-over, of relays and of consumers. */
  const epochs = async (): Promise<unknown[]> => {
    const { rows } = await pool.query(
      `select 'relay', reader, lane, epoch from ${schema}.cursor union all select 'group', reader, lane, epoch from ${broker}.cursor order by 1, 2, 3`,
    );
    return rows;
  };

  it.each([
    ['an hour', HOUR],
    ['a day and a half, so that every date is another one too', 36 * HOUR],
  ])(
    'change nothing, before and behind by %s: leases, due times, buckets',
    async (_by, shiftMs) => {
      const [fast, slow] = [await start(shiftMs), await start(-shiftMs)];
      let sent = 0;
      const gifts = async (count: number): Promise<void> => {
        for (let n = 0; n < count; n++, sent++) {
          const order = { id: `g${String(sent).padStart(3, '0')}`, gift: { room: `r${sent % 7}`, coins: sent } };
          await (sent % 2 ? fast : slow).publish(order);
        }
        await until('all handled', async () => (await effects()).length >= sent, { withinMs: 60_000 });
      };
      await gifts(30);
      await until(
        'both work',
        async () => new Set((await effects()).map(({ pid }) => pid)).size === 2 || gifts(14).then(() => false),
        { withinMs: 60_000 },
      );

      const before = await epochs();
      await gifts(40);
      expect(await epochs()).toEqual(before); // nobody took a lane for abandoned that another one holds

      for (const [by, id] of [
        [fast, 'later-fast'],
        [slow, 'later-slow'],
      ] as const) {
        const { rows } = await pool.query<{ at: Date }>('select clock_timestamp() as at');
        await by.publish({ id, gift: { room: 'later', coins: 0 }, delayMs: DELAY_MS });
        await until('handled later', async () => (await effects()).some((effect) => effect.id === id), {
          withinMs: 30_000,
        });
        const waited = await pool.query<{ ms: number }>(
          `select extract(epoch from at - $2::timestamptz) * 1000 as ms from ${schema}.effect where id = $1`,
          [id, rows[0]!.at],
        );
        expect(Number(waited.rows[0]!.ms)).toBeGreaterThanOrEqual(DELAY_MS);
      }

      fast.child.kill('SIGKILL');
      await once(fast.child, 'exit');
      for (let n = 0; n < 14; n++, sent++)
        await slow.publish({ id: `h${n}`, gift: { room: `r${sent % 7}`, coins: sent } });
      await until('taken over', async () => (await effects()).length === sent + 2, { withinMs: 60_000 });

      const all = await effects();
      expect(all.filter(({ bucket, today }) => bucket !== today)).toEqual([]);
      for (let room = 0; room < 7; room++) {
        const order = all.filter((effect) => effect.room === `r${room}`).map(({ coins }) => coins);
        expect(order).toEqual([...order].sort((a, b) => a - b));
      }
    },
    180_000,
  );
});

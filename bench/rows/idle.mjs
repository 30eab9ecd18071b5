// What an application with nothing to do asks of its database: a relay to RabbitMQ and one subscription of the PostgreSQL log, untouched defaults.
// Counted twice: by the server (transactions committed in a database of its own, autovacuum's included) and by statement in this process.
import { randomUUID } from 'node:crypto';
import { postgres as postgresTransport } from '@tidings/postgres';
import { route } from '@tidings/messaging';
import pg from 'pg';
import { startApplication } from '../application.mjs';
import { GiftSent } from '../gift.mjs';
import { openPrefix } from '../own-prefix.mjs';
import { openSchema } from '../own-schema.mjs';

const WINDOW_MS = 20_000;
/** Idle backends report their statistics within 10 s. */
const REPORTED_MS = 11_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Counts this process's statements by their first words. */
function countStatements() {
  const { query } = pg.Client.prototype;
  const counts = new Map();
  pg.Client.prototype.query = function counted(config, ...rest) {
    const text = (typeof config === 'string' ? config : config.text).replace(/\s+/g, ' ').slice(0, 90);
    counts.set(text, (counts.get(text) ?? 0) + 1);
    return query.call(this, config, ...rest);
  };
  return { counts, stop: () => (pg.Client.prototype.query = query) };
}

export async function idleRow({ postgres, broker: at }) {
  const name = `bench_idle_${randomUUID().slice(0, 8)}`;
  const outside = new pg.Client({ connectionString: postgres });
  await outside.connect();
  await outside.query(`create database ${name}`);
  const url = new URL(postgres);
  url.pathname = `/${name}`;
  const broker = openPrefix(at, { topic: GiftSent.topic, group: 'none' });
  try {
    const database = await openSchema(url.href);
    const app = await startApplication({
      messaging: {
        stores: { default: database.store },
        transports: { log: postgresTransport({ store: database.store }), main: broker.transport() },
        routes: [route('gift.sent').to('log', 'main')],
      },
      handle: () => undefined,
      handlerOptions: { group: 'ranking', transport: 'log' },
    });
    // The relay's destination exists from the first publish on: an application that never published would be idle for nothing.
    await database.dataSource.transaction((manager) =>
      app.outbox
        .within(manager)
        .publish(GiftSent, { room: 'r', user: 'u', gift: 'rose', coins: 1, note: '' }, { route: 'optional' }),
    );
    const transactions = async () => {
      const { rows } = await outside.query('select xact_commit::int as n from pg_stat_database where datname = $1', [
        name,
      ]);
      return rows[0].n;
    };
    await pause(REPORTED_MS);
    const before = await transactions();
    const counted = countStatements();
    await pause(WINDOW_MS);
    counted.stop();
    await pause(REPORTED_MS); // what these seconds add is taken out by their share
    const committed = ((await transactions()) - before) * (WINDOW_MS / (WINDOW_MS + REPORTED_MS));
    await app.close();
    await database.close();
    const statements = [...counted.counts].sort((a, b) => b[1] - a[1]).map(([text, times]) => ({ text, times }));
    const queries = statements.reduce((sum, { times }) => sum + times, 0);
    const per5s = Number(((queries / WINDOW_MS) * 5_000).toFixed(2));
    return {
      row: 'idle relay + one subscription',
      figures: [
        { name: 'statements in 5 s', count: per5s },
        {
          name: 'transactions in 5 s, by pg_stat_database',
          count: Number(((committed / WINDOW_MS) * 5_000).toFixed(2)),
        },
      ],
      target: '≤ 1 query in 5 s',
      met: per5s <= 1,
      statements,
    };
  } finally {
    await broker.close();
    await outside.query(`drop database if exists ${name} with (force)`);
    await outside.end();
  }
}

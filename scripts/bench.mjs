// npm run bench [-- --quick] [--json] [--broker <name>] [--rate <n>] [row …]: measures Tidings beside the smallest hand-written loops that keep the same
// guarantees, and prints a table or, with --json, the figures. Rows: publish, drain, consume, batches, coalesced, latency, idle, rotation; default all.
// With --broker redis or kafka: drain, consume and latency, there. --rate: messages a second of the latency row, default 200. Exits 0 also when a target is
// missed: a noisy machine is no defect. Needs PostgreSQL and the broker, RabbitMQ by default (see servers.mjs).
// With --record the rows go into docs/results/bench.json, from which docs/choosing-a-transport.md is made.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { record, withoutRecord } from './results.mjs';
import { findServers, root } from './servers.mjs';

const require = createRequire(import.meta.url);
const [args, recording] = withoutRecord(process.argv.slice(2));
const { values, positionals } = parseArgs({
  args,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    broker: { type: 'string', default: 'rabbitmq' },
    rate: { type: 'string', default: '200' },
  },
  allowPositionals: true,
});
const BROKERS = ['rabbitmq', 'redis', 'kafka'];
const kind = values.broker;
if (!BROKERS.includes(kind)) throw new Error(`unknown broker ${kind}; expected ${BROKERS.join(', ')}`);
const transports = ['postgres', ...BROKERS].map((name) => `libs/transports/${name}`);
const packages = ['libs/messaging', 'libs/database', ...transports];
const build = spawnSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-b', ...packages], {
  cwd: root,
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (build.status !== 0) process.exit(build.status ?? 1);

const { publishRow } = await import('../bench/rows/publish.mjs');
const { drainRow } = await import('../bench/rows/drain.mjs');
const { consumeRow } = await import('../bench/rows/consume.mjs');
const { batchesRow, coalescedRow } = await import('../bench/rows/consume-together.mjs');
const { latencyRow } = await import('../bench/rows/latency.mjs');
const { idleRow } = await import('../bench/rows/idle.mjs');
const { rotationRow } = await import('../bench/rows/rotation.mjs');
const { formatTable } = await import('../bench/table.mjs');
const ANYWHERE = { drain: drainRow, consume: consumeRow, latency: latencyRow };
const ROWS =
  kind === 'rabbitmq'
    ? {
        publish: publishRow,
        ...ANYWHERE,
        batches: batchesRow,
        coalesced: coalescedRow,
        idle: idleRow,
        rotation: rotationRow,
      }
    : ANYWHERE;

const unknown = positionals.find((name) => !(name in ROWS));
if (unknown) throw new Error(`unknown row ${unknown} at ${kind}; expected ${Object.keys(ROWS).join(', ')}`);
const { postgres, missing, stop, ...found } = await findServers({ names: ['postgres', kind] });
const { [kind]: broker } = found;
const rows = {};
try {
  if (!postgres || !broker) throw new Error(`the bench needs both servers: ${Object.values(missing).join('; ')}`);
  for (const name of positionals.length > 0 ? positionals : Object.keys(ROWS)) {
    if (!values.json) console.error(`${name} …`);
    const row = kind === 'rabbitmq' ? name : `${name} at ${kind}`;
    rows[row] = await ROWS[name]({
      postgres: postgres.url,
      broker: { kind, url: broker.url },
      quick: values.quick,
      rate: Number(values.rate),
    });
  }
} finally {
  await stop();
}
const machine = { node: process.version, cpus: cpus().length, quick: values.quick };
const all = Object.values(rows);
console.log(values.json ? JSON.stringify({ machine, rows: all }, null, 2) : formatTable(all));
if (recording) await record('bench', rows, args);

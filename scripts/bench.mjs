// npm run bench [-- --quick] [--json] [--record] [row …]: measures Tidings beside the smallest hand-written loops that keep the same guarantees, and prints a
// table or, with --json, the figures. Rows: publish, drain, consume, batches, coalesced, latency, idle, rotation; default all. Exits 0 also when a target is
// missed: a noisy machine is no defect. Needs PostgreSQL and RabbitMQ (see servers.mjs).
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
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const packages = ['libs/messaging', 'libs/transports/postgres', 'libs/transports/rabbitmq', 'libs/database'];
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
const ROWS = {
  publish: publishRow,
  drain: drainRow,
  consume: consumeRow,
  batches: batchesRow,
  coalesced: coalescedRow,
  latency: latencyRow,
  idle: idleRow,
  rotation: rotationRow,
};

const unknown = positionals.find((name) => !(name in ROWS));
if (unknown) throw new Error(`unknown row ${unknown}; expected ${Object.keys(ROWS).join(', ')}`);
const { postgres, rabbitmq, missing, stop } = await findServers();
const rows = {};
try {
  if (!postgres || !rabbitmq) throw new Error(`the bench needs both servers: ${Object.values(missing).join('; ')}`);
  for (const name of positionals.length > 0 ? positionals : Object.keys(ROWS)) {
    if (!values.json) console.error(`${name} …`);
    rows[name] = await ROWS[name]({ postgres: postgres.url, rabbitmq: rabbitmq.url, quick: values.quick });
  }
} finally {
  await stop();
}
const machine = { node: process.version, cpus: cpus().length, quick: values.quick };
const all = Object.values(rows);
console.log(values.json ? JSON.stringify({ machine, rows: all }, null, 2) : formatTable(all));
if (recording) await record('bench', rows, args);

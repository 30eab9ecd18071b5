/**
 * `npm run conformance [transport …]`: runs the conformance suite of every transport, prints behaviours × transports, and exits 1 when a cell is
 * not as test/conformance.json requires. A transport without its server is not judged, unless TIDINGS_REQUIRE=all.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from 'node:net';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
require('../libs/testing/register-sources.cjs');
const { formatTable, problemsOf, readResults, skippedTransports } = require('../libs/testing/src/conformance-table.ts');

const whole = JSON.parse(readFileSync(join(root, 'test/conformance.json'), 'utf8'));
const asked = process.argv.slice(2);
const matrix = { ...whole, transports: whole.transports.filter((kind) => asked.length === 0 || asked.includes(kind)) };
const unknown = asked.filter((kind) => !whole.transports.includes(kind));
if (unknown.length > 0) {
  console.error(`unknown transport ${unknown.join(', ')}; expected one of ${whole.transports.join(', ')}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'tidings-conformance-'));
const outputFile = join(folder, 'report.json');
const patterns = matrix.transports.map(
  (kind) => `libs/transports/${kind}/src/${kind}\\.transport\\.(unit|int)\\.spec\\.ts$`,
);
// One process: transports side by side would share two cores and blame each other's load.
const args = [
  '--runInBand',
  '--json',
  `--outputFile=${outputFile}`,
  '--testNamePattern=(^| )conformance ',
  ...patterns,
];
const run = spawnSync(process.execPath, [require.resolve('jest/bin/jest'), ...args], {
  cwd: root,
  env: { ...(await detectedServers()), ...process.env },
  stdio: ['ignore', 'ignore', 'pipe'],
  encoding: 'utf8',
});
if (!existsSync(outputFile)) {
  console.error(run.stderr);
  process.exit(1);
}
const report = JSON.parse(readFileSync(outputFile, 'utf8'));
rmSync(folder, { recursive: true });

const results = readResults(report);
const skipped = skippedTransports(results);
const required = process.env.TIDINGS_REQUIRE === 'all' ? skipped.map((kind) => `${kind}: no server`) : [];
const problems = [...problemsOf(matrix, results), ...required];
for (const { message } of report.testResults) if (message) console.error(message);
console.log(formatTable(matrix, results));
if (skipped.length > 0) console.log(`\n? not run, no server: ${skipped.join(', ')}`);
for (const problem of problems) console.log(`✗ ${problem}`);
console.log(`\nconformance: ${problems.length === 0 ? 'as the matrix requires' : `${problems.length} problems`}`);
process.exit(problems.length === 0 ? 0 : 1);

/** Servers at their usual addresses, for who set no address. Names are those of libs/testing/src/servers.ts. */
async function detectedServers() {
  const usual = {
    TIDINGS_TEST_POSTGRES_URL: 'postgres://postgres@127.0.0.1:5432/test',
    TIDINGS_TEST_RABBITMQ_URL: 'amqp://guest:guest@127.0.0.1:5672',
  };
  const answers = (address) =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(address);
      const socket = connect({ host: hostname, port: Number(port), timeout: 1_000 });
      const end = (answer) => () => resolve((socket.destroy(), answer));
      socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
    });
  const found = await Promise.all(
    Object.entries(usual).map(async ([name, url]) => ((await answers(url)) ? [[name, url]] : [])),
  );
  return Object.fromEntries(found.flat());
}

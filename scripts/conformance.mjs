// npm run conformance [-- --reports FOLDER] [--record] [transport …]: runs the conformance suite of every transport, prints behaviours × transports, and exits 1 when a cell is
// not as test/conformance.json requires. With --reports it reads what a run of all tests kept there (TIDINGS_REPORTS), in place of running them again. A transport without its server is shown and not judged, unless TIDINGS_REQUIRE=all.
// With --record the columns go into docs/results/conformance.json, from which docs/conformance.md is made.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { record, withoutRecord } from './results.mjs';
import { findServers, root, serverLines, testEnvironment } from './servers.mjs';

const require = createRequire(import.meta.url);
require('../libs/testing/register-sources.cjs');
const {
  columnsOf,
  formatTable,
  problemsOf,
  readResults,
  skippedTransports,
} = require('../libs/testing/src/conformance-table.ts');

/** The committed matrix, cut down to the transports that were asked for. */
async function requiredMatrix(asked) {
  const { transports, behaviours } = JSON.parse(await readFile(join(root, 'test/conformance.json'), 'utf8'));
  const unknown = asked.filter((kind) => !transports.includes(kind));
  if (unknown.length > 0) throw new Error(`unknown transport ${unknown.join(', ')}; expected ${transports.join(', ')}`);
  return { behaviours, transports: asked.length > 0 ? asked : transports };
}

/** Where a transport's column is made. */
const specOf = (kind) => `libs/transports/${kind}/src/${kind}\\.transport\\.(unit|int)\\.spec\\.ts$`;

/** Jest's report. One process: transports side by side would share two cores and blame each other's load. */
async function runSpecs(transports, env) {
  const folder = await mkdtemp(join(tmpdir(), 'tidings-conformance-'));
  const outputFile = join(folder, 'report.json');
  const patterns = transports.map(specOf);
  const options = ['--runInBand', '--json', `--outputFile=${outputFile}`, '--testNamePattern=(^| )conformance '];
  const jest = spawn(process.execPath, [require.resolve('jest/bin/jest'), ...options, ...patterns], {
    cwd: root,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const pass = (signal) => jest.kill(signal); // the servers started here are then stopped in order
  for (const signal of signals) process.on(signal, pass);
  let said = '';
  jest.stderr.on('data', (chunk) => (said += chunk));
  try {
    await new Promise((resolve) => jest.once('error', resolve).once('close', resolve));
    return await readFile(outputFile, 'utf8').then(JSON.parse, () => {
      throw new Error(`jest left no report: ${said}`);
    });
  } finally {
    for (const signal of signals) process.off(signal, pass);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The reports of a run of all tests as one, of each spec file the last. */
async function keptReport(folder, transports) {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  // `int.again.json` sorts before `int.json`.
  const reports = await Promise.all(
    files.reverse().map(async (file) => JSON.parse(await readFile(join(folder, file)))),
  );
  const last = new Map(reports.flatMap(({ testResults }) => testResults).map((result) => [result.name, result]));
  if (last.size === 0) throw new Error(`${folder}: expected reports of a run with TIDINGS_REPORTS, found none`);
  const ours = transports.map((kind) => new RegExp(specOf(kind)));
  return { testResults: [...last.values()].filter(({ name }) => ours.some((spec) => spec.test(name))) };
}

async function main() {
  const [args, recording] = withoutRecord(process.argv.slice(2));
  const { values, positionals } = parseArgs({
    args,
    options: { reports: { type: 'string' } },
    allowPositionals: true,
  });
  const matrix = await requiredMatrix(positionals);
  const end = async (report) => {
    if (recording) await record('conformance', columnsOf(readResults(report)), args);
    return judge(matrix, report);
  };
  if (values.reports) return end(await keptReport(values.reports, matrix.transports));
  const servers = await findServers();
  try {
    for (const line of serverLines(servers)) console.log(line);
    // A missing server is told below, once, and not by every spec.
    const env = { ...process.env, ...testEnvironment(servers), TIDINGS_REQUIRE: '' };
    return await end(await runSpecs(matrix.transports, env));
  } finally {
    await servers.stop();
  }
}

/** Prints the table and what is not as required; the exit code. */
function judge(matrix, report) {
  const results = readResults(report);
  const notRun = skippedTransports(results);
  const unmet =
    process.env.TIDINGS_REQUIRE === 'all'
      ? notRun.map((kind) => `${kind}: TIDINGS_REQUIRE=all, but it has no server`)
      : [];
  const problems = [...problemsOf(matrix, results), ...unmet];
  for (const { message } of report.testResults) if (message) console.error(message);
  console.log(`\n${formatTable(matrix, results)}\n`);
  if (notRun.length > 0) console.log(`? not run, no server: ${notRun.join(', ')}`);
  for (const problem of problems) console.log(`✗ ${problem}`);
  const held = [...results.values()]
    .flatMap((column) => [...column.values()])
    .filter(({ outcome }) => outcome === 'pass').length;
  console.log(`conformance: ${held} cells hold, ${problems.length} problems`);
  return problems.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

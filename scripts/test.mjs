// node scripts/test.mjs [unit|int|e2e] [jest's arguments…]: runs the specs of one level, or of all, with the servers they need. With TIDINGS_RERUN=1 (CI)
// a spec file that failed is run once more by itself: what passes then is told as unsteady and does not fail the run. With TIDINGS_REPORTS=FOLDER
// jest's reports are kept there.
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findServers, root, serverLines, testEnvironment } from './servers.mjs';

const LEVELS = ['unit', 'int', 'e2e'];
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');

const [first, ...rest] = process.argv.slice(2);
const levels = LEVELS.includes(first) ? [first] : LEVELS;
const jestArguments = LEVELS.includes(first) || first === undefined ? rest : [first, ...rest];
const sum = { passed: 0, failed: 0, skipped: 0 };
let interrupted = false;

/** Ctrl-C reaches jest as well: it ends by itself, and the servers started here are stopped in order. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    running?.kill(signal);
  });
}
let running;

/** From its report to its exit. With a handle that some spec left open, jest would stay for ever, and the run's results with it. */
const EXIT_MS = 30_000;

/** Jest's exit code and its report; undefined when it left none. */
async function runJest(args, env) {
  const folder = await mkdtemp(join(tmpdir(), 'tidings-test-'));
  const report = join(folder, 'report.json');
  try {
    const code = await new Promise((resolve) => {
      // stdout has the report a second time with --json; what a person reads is on stderr.
      running = spawn(process.execPath, [jest, '--json', `--outputFile=${report}`, ...args], {
        cwd: root,
        env,
        stdio: ['inherit', 'ignore', 'inherit'],
      });
      const jestProcess = running;
      let reportedAt;
      const watch = setInterval(async () => {
        reportedAt ??= await stat(report).then(Date.now, () => undefined);
        if (reportedAt === undefined || Date.now() - reportedAt < EXIT_MS) return;
        console.error(`UNSTEADY: jest did not exit within ${EXIT_MS} ms after its report: a spec left a handle open`);
        const found = await readFile(report, 'utf8').then(JSON.parse, () => undefined);
        jestProcess.kill('SIGKILL');
        resolve(found?.success ? 0 : 1);
      }, 1_000);
      running.once('error', () => resolve(1));
      running.once('close', (exitCode) => resolve(exitCode ?? 1));
      running.once('exit', () => clearInterval(watch));
    });
    return { code, found: await readFile(report, 'utf8').then(JSON.parse, () => undefined) };
  } finally {
    running = undefined;
    await rm(folder, { recursive: true, force: true });
  }
}

/** For `npm run conformance -- --reports`, which then need not run the suites again. */
async function keepReport(file, report) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(report));
}

/** A file that does not even load has no tests to count; it counts as one that failed. */
const failuresOf = (found) => found.numFailedTests + found.numRuntimeErrorTestSuites;

/** Resolves with the exit code. What a run did is read from its report; one that leaves none failed. */
async function runLevel(level, env) {
  // Specs with servers wait more than they work: two files at a time.
  const workers = level === 'unit' ? [] : ['--maxWorkers=2'];
  const options = ['--testRegex', `\\.${level}\\.spec\\.ts$`, '--passWithNoTests', ...workers, ...jestArguments];
  const { code, found } = await runJest(options, env);
  const reports = process.env.TIDINGS_REPORTS;
  if (reports && found) await keepReport(join(reports, `${level}.json`), found);
  if (!found) {
    sum.failed += Number(code !== 0);
    return code;
  }
  sum.passed += found.numPassedTests;
  sum.skipped += found.numPendingTests + found.numTodoTests;
  const red = found.testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
  if (red.length === 0 || interrupted || process.env.TIDINGS_RERUN !== '1') {
    sum.failed += failuresOf(found);
    return code;
  }
  console.log(`once more, by themselves: ${red.join(', ')}`);
  const again = await runJest(['--runInBand', '--testRegex', '\\.spec\\.ts$', '--runTestsByPath', ...red], env);
  if (reports && again.found) await keepReport(join(reports, `${level}.again.json`), again.found);
  const failures = again.found ? failuresOf(again.found) : failuresOf(found);
  sum.failed += failures;
  const steady = Math.max(0, failuresOf(found) - failures);
  sum.passed += steady;
  if (steady > 0) console.log(`UNSTEADY, ${steady} passed the second time only: look into them`);
  return again.code;
}

async function runAll() {
  let exitCode = 0;
  /** A level that failed does not keep the next from running. */
  const run = async (level, env) => {
    const code = await runLevel(level, env);
    exitCode ||= code;
  };
  const levelsWithServers = levels.filter((level) => level !== 'unit');
  if (levels.includes('unit')) await run('unit', process.env);
  if (levelsWithServers.length === 0 || interrupted) return exitCode;

  const servers = await findServers();
  try {
    for (const line of serverLines(servers)) console.log(line);
    const missing = Object.keys(servers.missing);
    if (process.env.TIDINGS_REQUIRE === 'all' && missing.length > 0) {
      console.error(`TIDINGS_REQUIRE=all, but there is no ${missing.join(' and no ')}`);
      sum.failed += missing.length;
      return 1;
    }
    const env = { ...process.env, ...testEnvironment(servers) };
    for (const level of levelsWithServers) if (!interrupted) await run(level, env);
    return exitCode;
  } finally {
    await servers.stop();
  }
}

try {
  process.exitCode = (await runAll()) || (interrupted ? 130 : 0);
} catch (error) {
  console.error(error.message);
  sum.failed += 1;
  process.exitCode = 1;
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);

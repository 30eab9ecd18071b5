// node scripts/test.mjs [unit|int|e2e] [jest's arguments…]: runs the specs of one level, or of all, with the servers they need.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Resolves with jest's exit code. What a run did is read from its report; one that leaves none failed. */
async function runLevel(level, env) {
  const folder = await mkdtemp(join(tmpdir(), 'tidings-test-'));
  const report = join(folder, 'report.json');
  // In one process each: they share servers and two cores, and time-outs are tight enough to mean something.
  const serial = level === 'unit' ? [] : ['--runInBand'];
  const options = [
    '--testRegex',
    `\\.${level}\\.spec\\.ts$`,
    '--passWithNoTests',
    '--json',
    `--outputFile=${report}`,
    ...serial,
  ];
  try {
    const code = await new Promise((resolve) => {
      // stdout has the report a second time with --json; what a person reads is on stderr.
      running = spawn(process.execPath, [jest, ...options, ...jestArguments], {
        cwd: root,
        env,
        stdio: ['inherit', 'ignore', 'inherit'],
      });
      running.once('error', () => resolve(1));
      running.once('close', (exitCode) => resolve(exitCode ?? 1));
    });
    const found = await readFile(report, 'utf8').then(JSON.parse, () => undefined);
    // A file that does not even load has no tests to count; it counts as one that failed.
    sum.failed += found ? found.numFailedTests + found.numRuntimeErrorTestSuites : Number(code !== 0);
    sum.passed += found?.numPassedTests ?? 0;
    sum.skipped += (found?.numPendingTests ?? 0) + (found?.numTodoTests ?? 0);
    return code;
  } finally {
    running = undefined;
    await rm(folder, { recursive: true, force: true });
  }
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

// npm run mutants [-- unit] [-- name …]: each patch of test/mutants breaks one line of the source in a copy of the tree, and the test that its header
// names must turn red. Without servers those that need one are skipped. `unit` leaves them out.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findServers, root, testEnvironment } from './servers.mjs';

const FOLDER = 'test/mutants';
const TEST_LIMIT_MS = 120_000;

/** @returns {{ name: string, patch: string, spec: string, test: string, unit: boolean }} */
function readMutant(file) {
  const patch = readFileSync(join(root, FOLDER, file), 'utf8');
  const [, spec] = /^spec: (.+)$/m.exec(patch) ?? [];
  const [, test] = /^test: (.+)$/m.exec(patch) ?? [];
  if (!spec || !test) throw new Error(`${FOLDER}/${file}: expected a header with "spec: …" and "test: …"`);
  return { name: file.replace(/\.patch$/, ''), patch, spec, test, unit: spec.endsWith('.unit.spec.ts') };
}

/** Every tracked or new file, and node_modules by links: those to our own packages are relative, so that they lead into the copy. */
function copyTree() {
  const copy = mkdtempSync(join(tmpdir(), 'tidings-mutants-'));
  const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root });
  for (const file of listed.stdout.toString().split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { force: true });
  }
  mkdirSync(join(copy, 'node_modules'));
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    const [from, to] = [join(root, 'node_modules', entry), join(copy, 'node_modules', entry)];
    if (entry.startsWith('@tidings')) cpSync(from, to, { recursive: true, verbatimSymlinks: true });
    else symlinkSync(from, to);
  }
  return copy;
}

let running;

/** Jest's report of the named tests. */
async function runTests(copy, env, specs, tests) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const escaped = tests.map((test) => test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const options = [
    '--runInBand',
    '--json',
    `--outputFile=${report}`,
    '--forceExit',
    `--testNamePattern=${escaped.join('|')}`,
  ];
  running = spawn(process.execPath, [jest, `--rootDir=${copy}`, ...options, '--runTestsByPath', ...specs], {
    cwd: copy,
    env,
    stdio: 'ignore',
    timeout: TEST_LIMIT_MS + specs.length * 30_000,
    killSignal: 'SIGKILL',
  });
  await new Promise((resolve) => running.once('close', resolve));
  running = undefined;
  const found = JSON.parse(readFileSync(report, 'utf8'));
  return {
    passed: found.numPassedTests,
    failed: found.numFailedTests,
    broken: found.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    ),
  };
}

const patchIn = (copy, patch, ...args) =>
  spawnSync('patch', ['-p1', '-F3', '--no-backup-if-mismatch', '-r', '-', '-s', ...args], {
    cwd: copy,
    input: patch,
    encoding: 'utf8',
  });

/** Undefined when the named test turned red, else what is wrong with the mutant. */
async function judge(copy, env, { patch, spec, test }) {
  const apply = (...args) => patchIn(copy, patch, ...args);
  const applied = apply('-N');
  if (applied.status !== 0) return `does not apply any more: ${applied.stdout.trim()}${applied.stderr.trim()}`;
  const { failed, broken, passed } = await runTests(copy, env, [spec], [test]);
  const undone = apply('-R');
  if (undone.status !== 0) throw new Error(`could not be taken back: ${undone.stdout}${undone.stderr}`);
  if (broken.length > 0) return `the file does not even load: ${broken[0].message.slice(0, 300)}`;
  if (failed > 0) return undefined;
  return passed > 0 ? `stays green: ${test}` : `no test of ${spec} is named so: ${test}`;
}

async function main(args) {
  const all = readdirSync(join(root, FOLDER))
    .filter((file) => file.endsWith('.patch'))
    .sort()
    .map(readMutant);
  const names = args.filter((name) => name !== 'unit');
  const unknown = names.filter((name) => !all.some((mutant) => mutant.name === name));
  if (unknown.length > 0)
    throw new Error(`unknown mutant ${unknown.join(', ')}; expected ${all.map(({ name }) => name).join(', ')}`);
  const onlyUnit = args.includes('unit');
  const asked = all.filter(({ name, unit }) => (names.length === 0 || names.includes(name)) && (unit || !onlyUnit));
  const servers = asked.every(({ unit }) => unit) ? { missing: {}, stop: async () => undefined } : await findServers();
  const copy = copyTree();
  const stop = () => running?.kill('SIGKILL');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop);
  const sum = { passed: 0, failed: 0, skipped: 0 };
  try {
    const env = {
      ...process.env,
      ...testEnvironment(servers),
      TIDINGS_REQUIRE: '',
    };
    const hasServers = servers.postgres && servers.rabbitmq;
    const mutants = asked.filter(({ unit }) => unit || hasServers);
    sum.skipped = asked.length - mutants.length;
    // Also of those that are not asked for: code moves on without them.
    const stale = all.filter(({ patch }) => patchIn(copy, patch, '-N', '--dry-run').status !== 0);
    if (stale.length > 0)
      throw new Error(`${stale.map(({ name }) => name).join(', ')}: does not apply any more; make it anew`);
    // A test that is red without any mutant proves nothing.
    const sound = await runTests(
      copy,
      env,
      [...new Set(mutants.map(({ spec }) => spec))],
      mutants.map(({ test }) => test),
    );
    if (sound.failed > 0 || sound.broken.length > 0)
      throw new Error('the named tests fail without any mutant; mend them first');
    for (const mutant of mutants) {
      const problem = await judge(copy, env, mutant);
      sum[problem ? 'failed' : 'passed'] += 1;
      console.log(problem ? `✗ ${mutant.name}: ${problem}` : `✓ ${mutant.name}: ${mutant.test}`);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
    await servers.stop();
  }
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  return sum.failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

// npm run chaos -- [--transport NAME] [--seconds 60] [--seed N] [--json] [--record]: builds what is stale, finds the servers, runs chaos/.
// With --record the figures go into docs/results/chaos.json, from which docs/choosing-a-transport.md is made.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { record, withoutRecord } from './results.mjs';
import { findServers, root, SERVER_NAMES } from './servers.mjs';

const build = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'chaos'], {
  cwd: root,
  stdio: 'inherit',
});
if (build.status !== 0) process.exit(build.status ?? 1);

const found = await findServers();
const { postgres, missing, stop } = found;
try {
  if (!postgres) throw new Error(`no PostgreSQL: ${missing.postgres}`);
  const { main } = createRequire(import.meta.url)(join(root, 'chaos', 'dist', 'main.js'));
  const urls = Object.fromEntries(SERVER_NAMES.map((name) => [name, found[name]?.url]));
  const [args, recording] = withoutRecord(process.argv.slice(2));
  let figures;
  process.exitCode = await main(args, urls, join(root, '.tidings'), (line) => (figures = line));
  if (recording && figures) await record('chaos', { [figures.chaos]: figures }, args);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await stop();
}

// npm run chaos -- [--transport NAME] [--seconds 60] [--seed N] [--json]: builds what is stale, finds the servers, runs chaos/.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
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
  process.exitCode = await main(process.argv.slice(2), urls, join(root, '.tidings'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await stop();
}

// npm run squares -- [--transport NAME] [--count 1000] [--squarers 2] [--within SECONDS]: builds what is stale, finds the one server, runs apps/squares.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findServers, root } from './servers.mjs';

const build = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'apps/squares'], {
  cwd: root,
  stdio: 'inherit',
});
if (build.status !== 0) process.exit(build.status ?? 1);

let stop = async () => undefined;
async function addressOf(name) {
  const found = await findServers({ names: [name] });
  ({ stop } = found);
  if (found[name]) return found[name].url;
  throw new Error(`expected a ${name}, found none (${found.missing[name]}); start it, or set its address`);
}

const { main } = createRequire(import.meta.url)(join(root, 'apps', 'squares', 'dist', 'main.js'));
try {
  process.exitCode = await main(process.argv.slice(2), addressOf);
} finally {
  await stop();
}

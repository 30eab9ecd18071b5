// npm run logs [-- --count 20000] [--seed 1] [--no-kill] [--json]: builds what is stale, finds the servers, runs apps/log-collector.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findServers, root } from './servers.mjs';

const build = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'apps/log-collector'], {
  cwd: root,
  stdio: 'inherit',
});
if (build.status !== 0) process.exit(build.status ?? 1);

const { postgres, kafka, missing, stop } = await findServers({ names: ['postgres', 'kafka'] });
try {
  if (!postgres || !kafka) throw new Error(`it needs both servers: ${Object.values(missing).join('; ')}`);
  const { main } = createRequire(import.meta.url)(join(root, 'apps', 'log-collector', 'dist', 'main.js'));
  process.exitCode = await main(process.argv.slice(2), { postgresUrl: postgres.url, kafkaUrl: kafka.url });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await stop();
}

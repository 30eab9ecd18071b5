// npm run chaos -- [--transport postgres|rabbitmq] [--seconds 60] [--seed N] [--json]: builds what is stale, finds the servers, runs chaos/.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { findServers, root } from './servers.mjs';

const build = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', 'chaos'], {
  cwd: root,
  stdio: 'inherit',
});
if (build.status !== 0) process.exit(build.status ?? 1);

const { postgres, rabbitmq, missing, stop } = await findServers();
try {
  if (!postgres) throw new Error(`no PostgreSQL: ${missing.postgres}`);
  const { main } = createRequire(import.meta.url)(join(root, 'chaos', 'dist', 'main.js'));
  const servers = { postgresUrl: postgres.url, rabbitmqUrl: rabbitmq?.url };
  process.exitCode = await main(process.argv.slice(2), servers, join(root, '.tidings'));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await stop();
}

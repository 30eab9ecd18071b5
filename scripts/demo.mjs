// `npm run demo`: builds what is stale, then runs the demo in this same process, so that the terminal's signals reach it without a detour.
import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const apps = ['gift-api', 'ranking', 'revenue-share', 'badges', 'room-gateway', 'callback-service', 'demo'].map(
  (name) => `apps/${name}`,
);

// About a second when nothing has changed.
const build = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-b', ...apps], {
  cwd: root,
  stdio: 'inherit',
});
if (build.status !== 0) process.exit(build.status ?? 1);

await import('../apps/demo/dist/main.js');

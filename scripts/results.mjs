// What was measured and is committed: docs/results/<name>.json, by transport or row the figures, and the command and the date that made them.
// The pages that `npm run docs:generate` writes are made of these files and of nothing else that changes from run to run.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format } from 'prettier';
import { root } from './servers.mjs';

const FLAG = '--record';

/** The arguments without `--record`, and whether it was there: it belongs to the script, not to what the script runs. */
export const withoutRecord = (args) => [args.filter((arg) => arg !== FLAG), args.includes(FLAG)];

/** Entries of the same key are replaced, the others stay: a run of one transport changes one entry. */
export async function record(name, entries, args) {
  const file = join(root, 'docs', 'results', `${name}.json`);
  const before = await readFile(file, 'utf8').then(JSON.parse, (error) => {
    if (error.code === 'ENOENT') return {};
    throw error;
  });
  const command = ['npm run', name, ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  const date = new Date().toISOString().slice(0, 10);
  const measured = Object.entries(entries).map(([key, figures]) => [key, { command, date, ...figures }]);
  const after = { ...before, ...Object.fromEntries(measured) };
  await mkdir(dirname(file), { recursive: true });
  const options = { parser: 'json', ...JSON.parse(await readFile(join(root, '.prettierrc.json'), 'utf8')) };
  await writeFile(file, await format(JSON.stringify(after, null, 2), options));
  console.error(
    `${measured.length} entries of docs/results/${name}.json written; npm run docs:generate makes the pages`,
  );
}

// npm run docs:generate: writes the pages that are made of docs/results (see docs/generator). test/docs fails while they differ from it.
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './servers.mjs';

const require = createRequire(import.meta.url);
require('../libs/testing/register-sources.cjs');
const { pages } = require('../docs/generator/pages.ts');
const { committedResults } = require('../docs/generator/results.ts');

for (const [path, page] of Object.entries(pages(committedResults()))) {
  await writeFile(join(root, path), page);
  console.log(path);
}

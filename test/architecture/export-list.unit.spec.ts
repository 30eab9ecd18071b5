import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportLists } from './exports';
import { read, ROOT, workspacePackages } from './workspace';

/**
 * What each package exports is committed as text, so that a change of the public face shows in review.
 * `UPDATE_EXPORTS=1 npx jest export-list` writes the lists anew.
 */
const fileOf = (name: string): string => `export-lists/${name.replace(/^@[^/]+\//, '')}.txt`;

const packages = workspacePackages().filter(({ manifest, sources }) => !manifest.private && sources.length > 0);
const lists = exportLists(packages);

if (process.env['UPDATE_EXPORTS']) {
  for (const [name, list] of lists) writeFileSync(join(ROOT, fileOf(name)), list);
}

describe('export list', () => {
  it.each(packages.map(({ name }) => name))('%s exports what its committed list says', (name) => {
    expect(existsSync(join(ROOT, fileOf(name)))).toBe(true);
    expect(lists.get(name)).toBe(read(fileOf(name)));
  });

  it('has no list of a package that is gone', () => {
    const known = packages.map(({ name }) => fileOf(name));
    expect(
      readdirSync(join(ROOT, 'export-lists'))
        .map((file) => `export-lists/${file}`)
        .filter((file) => !known.includes(file)),
    ).toEqual([]);
  });
});

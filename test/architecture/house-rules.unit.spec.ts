import { basename } from 'node:path';
import { bannedWordsIn, machineTracesIn } from './file-names';
import { sqlStatementsIn, runtimeExportsOf } from './sql-statements';
import { fullTestNames } from './test-names';
import { trackedFiles, sizes } from './tracked-files';
import { read, workspacePackages } from './workspace';

const files = trackedFiles();
const sources = workspacePackages().flatMap((one) => one.sources);
const specs = files.filter((file) => file.endsWith('.spec.ts'));
/** A step of a migration: as many statements as the step needs, applied together. */
const isMigration = (file: string): boolean => /\/(create|alter)-[^/]*\.ts$|migrations?\.ts$/.test(file);
const isSqlFile = (file: string): boolean => file.includes('/sql/');

describe('house rules', () => {
  it('finds the files', () => {
    expect(files).toEqual(expect.arrayContaining(['package.json', 'libs/core/src/index.ts']));
  });

  it('names files and folders for what they hold', () => {
    expect(files.flatMap((file) => bannedWordsIn(file).map((word) => `${file}: "${word}" says nothing`))).toEqual([]);
  });

  it('knows a name that says nothing', () => {
    expect(
      ['libs/a/src/string-util.ts', 'libs/common/src/x.ts', 'a/base.publisher.ts', 'a/database.ts'].map(bannedWordsIn),
    ).toEqual([['util'], ['common'], ['base'], []]);
  });

  it('keeps machine paths and registry hosts out of every file', () => {
    expect(files.flatMap((file) => machineTracesIn(read(file)).map((trace) => `${file}: ${trace}`))).toEqual([]);
  });

  it('knows a machine path and a registry host', () => {
    const at = (...parts: string[]): string => parts.join('');
    const traces = [
      at('cd /wo', 'rk/main'),
      at('"/ro', 'ot/.npm"'),
      at('"resolved": "ht', 'tps://x.org/a.tgz"'),
      at('reg', 'istry=https://x'),
      at('reg', 'istry.npm', 'js.org'),
    ];
    expect(traces.map((text) => machineTracesIn(text).length)).toEqual([1, 1, 1, 1, 1]);
    expect(machineTracesIn('"resolved": "libs/core", /api/work/1, a schema registry')).toEqual([]);
  });

  it('has one SQL statement and one verb in each file below sql/', () => {
    const statementFiles = sources.filter((file) => isSqlFile(file) && !isMigration(file));
    expect(statementFiles.length).toBeGreaterThan(10);
    const wrong = statementFiles.flatMap((file) => {
      const statements = sqlStatementsIn(file, read(file)).length;
      const exported = runtimeExportsOf(file, read(file));
      return statements === 1 && exported.length === 1
        ? []
        : [`${file}: ${statements} statements, exports ${exported.join(', ')}`];
    });
    expect(wrong).toEqual([]);
  });

  it('has no SQL elsewhere in the libraries', () => {
    const elsewhere = sources.filter(
      (file) =>
        file.startsWith('libs/') &&
        !isSqlFile(file) &&
        !isMigration(file) &&
        !/embedded-postgres|libs\/testing/.test(file),
    );
    expect(elsewhere.flatMap((file) => sqlStatementsIn(file, read(file)).map((text) => `${file}: ${text}`))).toEqual(
      [],
    );
  });

  it('gives every spec a level in its name', () => {
    expect(specs.filter((file) => !/\.(unit|int|e2e)\.spec\.ts$/.test(file))).toEqual([]);
  });

  it('gives every test a name of its own, and focuses or skips none', () => {
    const problems = specs.flatMap((file) => {
      const { names, focused } = fullTestNames(file, read(file));
      const doubled = names.filter((name, index) => names.indexOf(name) !== index);
      return [
        ...doubled.map((name) => `${file}: two tests are named "${name}"`),
        ...focused.map((call) => `${file}: ${call}`),
      ];
    });
    expect(problems).toEqual([]);
  });

  it('keeps files small: median at most 80 lines of code, nine in ten at most 200', () => {
    const libraries = sources.filter((file) => file.startsWith('libs/') && basename(file) !== 'index.ts');
    const { median, p90 } = sizes(libraries.map(read));
    expect(median).toBeLessThanOrEqual(80);
    expect(p90).toBeLessThanOrEqual(200);
  });
});

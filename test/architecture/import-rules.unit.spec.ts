import { DECLARED_UNIMPORTED, IMPORT_RULES } from './import-rules';
import { importsOf, packageOf, wrongArrow } from './imports';
import { readJson, workspacePackages, type WorkspacePackage } from './workspace';

const packages = workspacePackages().filter(({ sources }) => sources.length > 0);
const isOurs = (name: string): boolean => packages.some((one) => one.name === name);

/** Packages that the sources import, type-only imports included: the published types name them too. */
const importedBy = ({ sources }: WorkspacePackage): string[] => {
  const specifiers = sources.flatMap((file) => importsOf(file)).map(({ specifier }) => specifier);
  return [...new Set(specifiers.filter((s) => !s.startsWith('.') && !s.startsWith('node:')).map(packageOf))].sort();
};

const declaredBy = ({ manifest }: WorkspacePackage): string[] =>
  Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).sort();

describe('import rules', () => {
  it('finds the packages', () => {
    expect(packages.map(({ name }) => name)).toEqual(expect.arrayContaining(['@tidings/core', '@tidings/testing']));
  });

  it.each(packages.map((one) => [one.name, one] as const))('%s imports only what its ring may', (_, from) => {
    const wrong = [...from.sources, ...from.specs]
      .flatMap((file) => importsOf(file))
      .flatMap((one) => wrongArrow(from, one) ?? []);
    expect(wrong).toEqual([]);
  });

  it.each(packages.map((one) => [one.name, one] as const))(
    '%s declares what it imports, and nothing else',
    (_, from) => {
      const imported = importedBy(from);
      const declared = declaredBy(from);
      expect({
        undeclared: imported.filter((name) => !declared.includes(name)),
        // An application is not published: what it declares too much costs nobody.
        unused: declared.filter(
          (name) => !from.manifest.private && !imported.includes(name) && !DECLARED_UNIMPORTED.has(name),
        ),
      }).toEqual({ undeclared: [], unused: [] });
    },
  );

  it.each(packages.map((one) => [one.name, one] as const))('%s is built after the packages it imports', (_, from) => {
    const imported = importedBy(from).filter(isOurs);
    const folders = imported.map((name) => packages.find((one) => one.name === name)!.folder);
    expect(folders.filter((folder) => !from.references.includes(folder))).toEqual([]);
  });

  it('has no rule for a package that is gone', () => {
    const names = workspacePackages().map(({ name }) => name);
    expect(Object.keys(IMPORT_RULES).filter((name) => !names.includes(name))).toEqual([]);
  });

  it('builds and type-checks every package', () => {
    const built = readJson<{ references: { path: string }[] }>('tsconfig.json').references.map(({ path }) => path);
    const paths = Object.keys(
      readJson<{ compilerOptions: { paths: object } }>('tsconfig.specs.json').compilerOptions.paths,
    );
    const libraries = packages.filter(({ folder }) => folder.startsWith('libs/'));
    expect(packages.map(({ folder }) => folder).filter((folder) => !built.includes(folder))).toEqual([]);
    expect(libraries.map(({ name }) => name).filter((name) => !paths.includes(name))).toEqual([]);
  });
});

describe('an import rule', () => {
  const core = packages.find(({ name }) => name === '@tidings/core')!;
  const arrow = (specifier: string, file = 'libs/core/src/message/message.ts'): string | undefined =>
    wrongArrow(core, { file, specifier });

  it.each([
    ['@tidings/outbox', 'another package of ours'],
    ['@nestjs/common', 'Nest'],
    ['node:fs', 'I/O'],
    ['crypto', 'a Node module without node:'],
    ['../../../database/src/index', 'a file of another package'],
    ['@tidings/testing', 'the test package, from a source file'],
  ])('refuses core to import %s: %s', (specifier) => {
    expect(arrow(specifier)).toContain(
      `libs/core/src/message/message.ts imports ${specifier}; @tidings/core may import`,
    );
  });

  it('allows a spec what only specs may import', () => {
    expect(arrow('@tidings/testing', 'libs/core/src/message/message.unit.spec.ts')).toBeUndefined();
  });

  it('sees type-only, dynamic, required and re-exported imports', () => {
    const text =
      "import type { A } from 'a'; export * from 'b'; const c = import('c'); const d = require('d'); import e = require('e');";
    expect(
      importsOf('x.ts', text)
        .map(({ specifier }) => specifier)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

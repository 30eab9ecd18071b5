import { join } from 'node:path';
import ts from 'typescript';
import { ROOT, type WorkspacePackage } from './workspace';

/** The source of each entry that a package publishes: `.` is `src/index.ts`, `./nest` what its `default` was built from. */
export const entriesOf = ({ folder, manifest }: WorkspacePackage): { entry: string; source: string }[] =>
  Object.entries(manifest.exports ?? {}).flatMap(([entry, target]) => {
    const built = typeof target === 'string' ? target : target.default;
    if (!built?.endsWith('.js')) return [];
    return [{ entry, source: `${folder}/${built.replace('./dist/', 'src/').replace(/\.js$/, '.ts')}` }];
  });

const KINDS: readonly (readonly [ts.SymbolFlags, string])[] = [
  [ts.SymbolFlags.Class, 'class'],
  [ts.SymbolFlags.Enum, 'enum'],
  [ts.SymbolFlags.Function, 'function'],
  [ts.SymbolFlags.Variable, 'const'],
  [ts.SymbolFlags.Interface, 'interface'],
  [ts.SymbolFlags.TypeAlias, 'type'],
  [ts.SymbolFlags.Namespace, 'namespace'],
];

const unaliased = (checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/** One name may be several things: an interface and a constant, say. */
const kindsOf = (symbol: ts.Symbol): string =>
  KINDS.flatMap(([flag, kind]) => (symbol.flags & flag ? [kind] : [])).join(' + ') || 'unknown';

/** `kind name` of everything that each entry exports, sorted: a package's public face. */
export function exportLists(packages: readonly WorkspacePackage[]): ReadonlyMap<string, string> {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(ROOT, 'tsconfig.specs.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
      },
    },
  )!;
  const entries = packages.flatMap((one) => entriesOf(one).map((entry) => ({ ...entry, name: one.name })));
  const program = ts.createProgram(
    entries.map(({ source }) => join(ROOT, source)),
    config.options,
  );
  const checker = program.getTypeChecker();
  const lists = new Map<string, string>();
  for (const { name, entry, source } of entries) {
    const file = program.getSourceFile(join(ROOT, source));
    const module = file && checker.getSymbolAtLocation(file);
    if (!module) throw new Error(`${name}: the entry ${entry} has no exporting source ${source}`);
    const lines = checker
      .getExportsOfModule(module)
      .map((symbol) => `${symbol.name}: ${kindsOf(unaliased(checker, symbol))}`);
    lists.set(
      name,
      `${lists.get(name) ?? ''}${name}${entry.slice(1)}\n${lines
        .sort()
        .map((line) => `  ${line}\n`)
        .join('')}`,
    );
  }
  return lists;
}

import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { isSpec, ROOT, read, type WorkspacePackage } from './workspace';
import { IMPORT_RULES, SPECS_MAY_IMPORT } from './import-rules';

export interface Import {
  /** The importing file. */
  readonly file: string;
  /** As written: `./message`, `@tidings/core`, `node:crypto`. */
  readonly specifier: string;
}

/** Every import of a file: static, type-only, re-export, dynamic and require. */
export const importsOf = (file: string, text = read(file)): Import[] =>
  ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => ({ file, specifier: fileName }));

/** The package that a specifier names: `@scope/name` or `name`, without the subpath. */
export const packageOf = (specifier: string): string =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

const isNode = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier);

/** What is wrong with an import of this package, told with what is allowed; undefined when it is allowed. */
export function wrongArrow(from: WorkspacePackage, { file, specifier }: Import): string | undefined {
  const rule = IMPORT_RULES[from.name];
  const wrong = (allowed: string): string => `${file} imports ${specifier}; ${from.name} may import ${allowed}`;
  if (!rule) return `${from.name} has no rule; decide in test/architecture/import-rules.ts what it may import`;
  if (specifier.startsWith('.')) {
    const target = relative(ROOT, join(ROOT, dirname(file), specifier));
    return target.startsWith(`${from.folder}/src/`) || target === `${from.folder}/src`
      ? undefined
      : wrong(`files below ${from.folder}/src`);
  }
  const spec = isSpec(file);
  if (isNode(specifier)) {
    if (!specifier.startsWith('node:')) return wrong(`Node's modules by their node: names`);
    if (spec || rule.node === 'any' || rule.node.includes(specifier)) return undefined;
    return wrong(rule.node.length > 0 ? `of Node ${rule.node.join(', ')}` : `nothing of Node`);
  }
  const allowed = [...rule.ours, ...rule.theirs, ...(spec ? [...SPECS_MAY_IMPORT, ...(rule.specs ?? [])] : [])];
  return allowed.includes(packageOf(specifier)) ? undefined : wrong(allowed.join(', ') || 'no package');
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { read, ROOT } from '../architecture/workspace';

/** A row of a page that says which test proves what. */
export interface MappedTest {
  /** The cells before the file's. Empty ones belong to the row above. */
  readonly subject: readonly string[];
  /** Undefined: none yet, and `test` says why. */
  readonly file: string | undefined;
  readonly test: string;
}

/** Rows of those of a page's tables whose last two columns are `file` and `test`. */
export function mappedTests(page: string): MappedTest[] {
  const tables = page.split(/\n(?!\|)/).map((part) => part.split('\n').filter((line) => line.startsWith('|')));
  return tables.flatMap((lines) => {
    const [header, , ...rows] = lines.map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()));
    if (header?.at(-3) !== 'file') return [];
    return rows.map((cells) => {
      const [file = '', test = ''] = cells.slice(-3, -1);
      return { subject: cells.slice(1, -3), file: /\]\(\.\.\/(.+?)\)$/.exec(file)?.[1], test };
    });
  });
}

/** One sentence for each file or title that does not exist. */
export const wrongTests = (rows: readonly MappedTest[]): string[] =>
  rows.flatMap(({ subject, file, test }) => {
    if (file === undefined) return [];
    const [what] = subject;
    if (!existsSync(join(ROOT, file))) return [`${what}: no file ${file}`];
    const titled = /-conformance\//.test(file) || /\.(spec|conformance)\.ts$/.test(file);
    if (!titled) return [`${what}: ${file} holds no tests`];
    return textsOf(file).has(test) ? [] : [`${what}: no test "${test}" in ${file}`];
  });

/** Every text in a file that may be a test's title. */
function textsOf(file: string): ReadonlySet<string> {
  const texts = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true));
  return texts;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { read, ROOT } from '../architecture/workspace';

/** Traps of brokers that have no transport yet, and the issue that brings it. Nothing else may be without a test. */
const LATER: Readonly<Record<number, string>> = {
  20: 'issue 7',
  21: 'issue 7',
  22: 'issue 7',
  23: 'issue 8',
  26: 'issue 7',
  38: 'issue 7',
};
const COUNT = 38;

interface Row {
  readonly number: number;
  /** Undefined: another transport's. */
  readonly file: string | undefined;
  readonly test: string;
}

function rowsOf(page: string): Row[] {
  const lines = page.split('\n').filter((line) => /^\| \d/.test(line));
  return lines.map((line) => {
    const [, number, , file = '', test = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const [, target] = /\]\(\.\.\/(.+?)\)$/.exec(file) ?? [];
    return { number: Number(number), file: target, test };
  });
}

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

describe('docs/traps.md', () => {
  const rows = rowsOf(read('docs/traps.md'));

  it('has every trap, in its order', () => {
    const all = Array.from({ length: COUNT }, (_, index) => index + 1);
    expect([...new Set(rows.map(({ number }) => number))]).toEqual(all);
  });

  it('leaves no trap without a test, but for those of brokers that come later', () => {
    const later = rows.filter(({ file }) => file === undefined);
    expect(Object.fromEntries(later.map(({ number, test }) => [number, test]))).toEqual(LATER);
  });

  it('names files and tests that exist', () => {
    const wrong = rows.flatMap(({ number, file, test }) => {
      if (file === undefined) return [];
      if (!existsSync(join(ROOT, file))) return [`${number}: no file ${file}`];
      const titled = file.includes('/transport-conformance/') || /\.(spec|conformance)\.ts$/.test(file);
      if (!titled) return [`${number}: ${file} holds no tests`];
      return textsOf(file).has(test) ? [] : [`${number}: no test "${test}" in ${file}`];
    });
    expect(wrong).toEqual([]);
  });
});

import { read } from '../architecture/workspace';
import { mappedTests, wrongTests } from './test-map';

/** Features that are not there yet, and the issue that brings them. */
const LATER = {};
/** Items of the union: one less is one forgotten. */
const COUNT = 51;

describe('docs/what-suites-assert.md', () => {
  const rows = mappedTests(read('docs/what-suites-assert.md'));
  const items = rows.map(({ subject: [item] }) => item).filter((item) => item !== '');

  it('has every item of the union, once', () => {
    expect(new Set(items).size).toBe(items.length);
    expect(items).toHaveLength(COUNT);
  });

  it('leaves no item without a test, but for features that come later', () => {
    const later = rows.filter(({ file }) => file === undefined);
    expect(Object.fromEntries(later.map(({ subject: [item], test }) => [item, test]))).toEqual(LATER);
  });

  it('names files and tests that exist', () => {
    expect(wrongTests(rows)).toEqual([]);
  });

  it('turns red for a title that is not in its file, and for a file that holds no tests', () => {
    const row = (file: string) => mappedTests(`| what | file | test |\n| --- | --- | --- |\n| x | [y](../${file}) | no such test |`); // prettier-ignore
    expect(wrongTests(row('test/docs/traps.unit.spec.ts'))).toEqual([
      'x: no test "no such test" in test/docs/traps.unit.spec.ts',
    ]);
    expect(wrongTests(row('docs/traps.md'))).toEqual(['x: docs/traps.md holds no tests']);
    expect(wrongTests(row('no-file.spec.ts'))).toEqual(['x: no file no-file.spec.ts']);
  });
});

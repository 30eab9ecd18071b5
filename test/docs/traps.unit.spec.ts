import { read } from '../architecture/workspace';
import { mappedTests, wrongTests } from './test-map';

/** Traps of brokers that have no transport yet, and the issue that brings it. Nothing else may be without a test. */
const LATER: Readonly<Record<number, string>> = {
};
const COUNT = 38;

describe('docs/traps.md', () => {
  const rows = mappedTests(read('docs/traps.md'));

  it('has every trap, in its order', () => {
    const all = Array.from({ length: COUNT }, (_, index) => index + 1);
    expect([...new Set(rows.map(({ subject: [number] }) => Number(number)))]).toEqual(all);
  });

  it('leaves no trap without a test, but for those of brokers that come later', () => {
    const later = rows.filter(({ file }) => file === undefined);
    expect(Object.fromEntries(later.map(({ subject: [number], test }) => [number, test]))).toEqual(LATER);
  });

  it('names files and tests that exist', () => {
    expect(wrongTests(rows)).toEqual([]);
  });
});

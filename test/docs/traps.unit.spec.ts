import { read } from '../architecture/workspace';
import { mappedTests, wrongTests } from './test-map';

const COUNT = 38;

describe('docs/traps.md', () => {
  const rows = mappedTests(read('docs/traps.md'));

  it('has every trap, in its order', () => {
    const all = Array.from({ length: COUNT }, (_, index) => index + 1);
    expect([...new Set(rows.map(({ subject: [number] }) => Number(number)))]).toEqual(all);
  });

  it('leaves no trap without a test', () => {
    expect(rows.filter(({ file }) => file === undefined)).toEqual([]);
  });

  it('names files and tests that exist', () => {
    expect(wrongTests(rows)).toEqual([]);
  });
});

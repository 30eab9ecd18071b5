import { read } from '../architecture/workspace';
import { mappedTests, wrongTests } from './test-map';

describe.each([
  ['docs/failure-handling.md', 20],
  ['docs/callback.md', 40],
])('%s', (page, atLeast) => {
  const rows = mappedTests(read(page));

  it('names files and tests that exist', () => {
    expect(rows.length).toBeGreaterThan(atLeast);
    expect(wrongTests(rows)).toEqual([]);
  });
});

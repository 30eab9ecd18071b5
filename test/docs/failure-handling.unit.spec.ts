import { read } from '../architecture/workspace';
import { mappedTests, wrongTests } from './test-map';

describe('docs/failure-handling.md', () => {
  const rows = mappedTests(read('docs/failure-handling.md'));

  it('names files and tests that exist', () => {
    expect(rows.length).toBeGreaterThan(20);
    expect(wrongTests(rows)).toEqual([]);
  });
});

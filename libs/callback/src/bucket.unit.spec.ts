import { bucketTable, isBucket, lockBuckets } from './bucket';

describe('a bucket of the callback tables', () => {
  it.each(['2030-05-10', '0001-01-01'])('may be a day: %s', (bucket) => {
    expect(isBucket(bucket)).toBe(true);
  });

  it.each(['', '2030-5-10', '2030-05-10 ', "2030-05-10'; drop table gift; --", '-infinity', '2030-05-10T00:00:00Z'])(
    'may be nothing else, for it becomes SQL: %j',
    (bucket) => {
      expect(isBucket(bucket)).toBe(false);
    },
  );

  it('names its table, in the schema of the store', () => {
    expect(bucketTable({ schema: 'my "schema"' }, 'callback_confirmation', '2030-05-10')).toBe(
      '"my ""schema"""."callback_confirmation_20300510"',
    );
  });

  it('is locked by its schema, whatever that is called', () => {
    expect(lockBuckets({ schema: "o'brien" })).toContain("'tidings callback of o''brien'");
  });
});

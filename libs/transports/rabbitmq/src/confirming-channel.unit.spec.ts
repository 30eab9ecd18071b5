import { resultOfLoss } from './confirming-channel';

describe('a publish whose channel ended', () => {
  const size = new Error(
    'Channel closed by server: 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - message size 2097152 is larger than configured max size 1048576"',
  );

  it('failed for now', () => {
    expect(resultOfLoss(10, undefined)).toMatchObject({ outcome: 'failed', reason: 'transient' });
    expect(resultOfLoss(10, new Error('CONNECTION_FORCED'))).toMatchObject({ outcome: 'failed', reason: 'transient' });
  });

  it('failed for good when it is larger than what the broker says it takes; the others beside it failed for now', () => {
    expect(resultOfLoss(2_097_152, size)).toMatchObject({ reason: 'too-large', error: size });
    expect(resultOfLoss(1_048_576, size)).toMatchObject({ reason: 'transient' });
  });
});

import { PartitionProgress } from './partition-progress';

const fresh = (offset = 0, metadata = ''): PartitionProgress => new PartitionProgress({ offset, metadata });
const taken = (progress: PartitionProgress, ...offsets: number[]): boolean[] =>
  offsets.map((offset) => progress.take(offset, 100));

describe('the progress in a partition', () => {
  it('marks the oldest that is not settled, whatever is settled above it', () => {
    const progress = fresh(10);
    taken(progress, 10, 11, 12, 13);
    progress.settle(11);
    progress.settle(13);
    expect(progress.mark(false)).toEqual({ offset: 10, metadata: 'open;1,3;' });
    progress.settle(10);
    expect(progress.mark(false)).toEqual({ offset: 12, metadata: 'open;1;' });
    progress.settle(12);
    expect(progress.mark(false)).toEqual({ offset: 14, metadata: 'open;;' });
  });

  it('hands on what is done, so that nobody does it again', () => {
    const first = fresh();
    taken(first, 0, 1, 2, 3, 4, 40);
    for (const offset of [1, 2, 3, 40]) first.settle(offset);
    const mark = first.mark(true);
    expect(mark).toEqual({ offset: 0, metadata: 'closed;1-3,14;' });
    const second = new PartitionProgress(mark);
    expect(taken(second, 0, 1, 2, 3, 4, 40)).toEqual([true, false, false, false, true, false]);
    second.settle(0);
    expect(second.mark(false)).toEqual({ offset: 4, metadata: 'open;10;' });
  });

  it('tells what was begun: exactly after a stop, all that may have been after a death', () => {
    const first = fresh();
    taken(first, 0, 1, 2);
    first.begin(1);
    const stopped = new PartitionProgress(first.mark(true));
    taken(stopped, 0, 1, 2);
    expect([0, 1, 2].map((offset) => stopped.wasBegun(offset))).toEqual([false, true, false]);
    const died = new PartitionProgress(first.mark(false));
    died.take(0, 3);
    expect([0, 1, 2, 3].map((offset) => died.wasBegun(offset))).toEqual([true, true, true, false]);
  });

  it('cuts what it writes to what Kafka takes, at a whole run', () => {
    const progress = fresh();
    for (let offset = 0; offset < 20_000; offset++) progress.take(offset, 20_000);
    for (let offset = 1; offset < 20_000; offset += 2) progress.settle(offset);
    const { metadata } = progress.mark(true);
    expect(metadata.length).toBeLessThan(4_096);
    const next = new PartitionProgress({ offset: 0, metadata });
    expect([next.take(0, 1), next.take(1, 1), next.take(3, 1), next.take(4, 1)]).toEqual([true, false, false, true]);
  });

  it('takes what somebody else wrote beside an offset for nothing', () => {
    expect(fresh(5, 'a note of a person').take(5, 10)).toBe(true);
  });
});

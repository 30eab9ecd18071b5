import {
  accept,
  type DeadLetter,
  type DeadLetterSink,
  fixed,
  type HandlerDefinition,
  MessageContext,
  park,
  reject,
  release,
  retry,
  type Settlement,
  systemClock,
} from '@tidings/core';
import { testMessage } from '@tidings/testing';
import { deadLetterMiddleware } from './dead-letter.middleware';
import type { FailureStory } from './dead-letters';

/** A sink that remembers, and fails with what it is told. */
class FakeSink implements DeadLetterSink, FailureStory {
  readonly calls: string[] = [];
  readonly letters: Partial<DeadLetter>[] = [];
  failure: Error | undefined;
  bury = (letter: DeadLetter): Promise<void> => this.#take('bury', letter);
  elapsedMs = 0;
  note = (letter: Partial<DeadLetter>): Promise<number> => this.#take('note', letter).then(() => this.elapsedMs);
  forget = (letter: Partial<DeadLetter>): Promise<void> => this.#take('forget', letter);
  async #take(call: string, letter: Partial<DeadLetter>): Promise<void> {
    this.calls.push(call);
    if (this.failure) throw this.failure;
    this.letters.push(letter);
  }
}

describe('deadLetterMiddleware', () => {
  const clock = { ...systemClock, now: () => 1_795_255_200_000 };
  const setUp = (attempt = 1, policy = fixed()) => {
    const sink = new FakeSink();
    const handler = {
      name: 'RankGiftHandler.rank',
      store: 'main',
      transport: 'rabbit',
      retry: policy,
      subscription: { group: 'ranking', topic: 'gift.sent' },
    } as unknown as HandlerDefinition;
    const context = new MessageContext(
      { message: testMessage(), attempt, redelivered: false },
      handler,
      new AbortController().signal,
    );
    const run = (settlement: Settlement, of: DeadLetterSink | undefined = sink) =>
      deadLetterMiddleware({ sinkOf: () => of, instance: 'pod-1', clock, againAfterMs: 55 })(
        context,
        async () => settlement,
      );
    return { sink, context, run };
  };

  it('buries what is rejected, with what was thrown, and accepts it', async () => {
    const { sink, context, run } = setUp(5);
    const error = new TypeError('no luck', { cause: new Error('the cause') });
    context.failures.push({ attempt: 5, at: '2026-11-21T10:00:00.000Z', error });
    expect(await run(reject('failed 5 times', error))).toEqual({ kind: 'accept', buried: 'failed 5 times' });
    expect(sink.calls).toEqual(['bury']);
    expect(sink.letters[0]).toEqual({
      message: context.message,
      direction: 'inbound',
      place: 'ranking',
      transport: 'rabbit',
      handler: 'RankGiftHandler.rank',
      reason: 'failed 5 times',
      attempts: 5,
      failures: [
        {
          attempt: 5,
          at: '2026-11-21T10:00:00.000Z',
          instance: 'pod-1',
          errors: [
            { name: 'TypeError', message: 'no luck', stack: expect.any(String) },
            { name: 'Error', message: 'the cause', stack: expect.any(String) },
          ],
        },
      ],
    });
  });

  it('tells what was settled without being thrown', async () => {
    const { sink, run } = setUp();
    await run(reject('forbidden'));
    expect(sink.letters[0]!.failures).toEqual([
      {
        attempt: 1,
        at: '2026-11-21T10:00:00.000Z',
        instance: 'pod-1',
        errors: [{ name: 'Settlement', message: 'forbidden' }],
      },
    ]);
  });

  it('retries uncounted what could not be buried', async () => {
    const { sink, run } = setUp();
    sink.failure = new Error('disk full');
    expect(await run(reject('no'))).toEqual(retry(55, { counted: false, error: sink.failure }));
  });

  it('passes on a reject when the store has no dead letters', async () => {
    const { context, run } = setUp();
    const middleware = deadLetterMiddleware({ sinkOf: () => undefined, instance: 'pod-1', clock });
    expect(await middleware(context, async () => reject('no'))).toEqual(reject('no'));
    expect(await run(reject('no'), { bury: async () => undefined })).toMatchObject(accept);
  });

  it('notes a failed attempt that will be made again, and not one that does not count', async () => {
    const { sink, run } = setUp();
    const counted = retry(10, { error: new Error('no luck') });
    expect(await run(counted)).toEqual(counted);
    expect(await run(retry(10, { counted: false }))).toMatchObject({ kind: 'retry' });
    expect(sink.calls).toEqual(['note']);
    expect(sink.letters[0]!.failures).toMatchObject([{ attempt: 1, errors: [{ message: 'no luck' }] }]);
  });

  it('forgets the failed attempts of a message that is handled after all, and asks nothing for one handled at once', async () => {
    for (const [attempt, calls] of [
      [1, []],
      [2, ['forget']],
    ] as const) {
      const { sink, run } = setUp(attempt);
      expect(await run(accept)).toEqual(accept);
      expect(sink.calls).toEqual(calls);
    }
  });

  it('settles as before when a note cannot be written', async () => {
    const { sink, run } = setUp(2);
    sink.failure = new Error('disk full');
    expect(await run(retry(10))).toEqual(retry(10));
    expect(await run(accept)).toEqual(accept);
  });

  it('buries what would be retried past its time, counted from the first failure that the store noted', async () => {
    const { sink, context, run } = setUp(3, fixed({ attempts: Infinity, maxElapsedMs: 1_000 }));
    const error = new Error('still away');
    sink.elapsedMs = 900;
    expect(await run(retry(100, { error }))).toMatchObject({ kind: 'retry' });
    context.failures.push({ attempt: 3, at: '2026-11-21T10:00:00.000Z', error });
    expect(await run(retry(101, { error }))).toMatchObject(accept);
    expect(sink.calls).toEqual(['note', 'note', 'bury']);
    expect(sink.letters[2]).toMatchObject({
      reason:
        'gave up 900 ms after the first failure: a retry in 101 ms would be past maxElapsedMs 1000, the last with: still away',
      failures: [], // noted just before
    });
  });

  it('goes on retrying what it cannot time: a note that fails must not bury a message', async () => {
    const { sink, run } = setUp(3, fixed({ attempts: Infinity, maxElapsedMs: 1 }));
    sink.failure = new Error('store away');
    expect(await run(retry(100))).toEqual(retry(100));
  });

  it.each([park('later'), release])('leaves $kind alone', async (settlement) => {
    const { sink, run } = setUp(2);
    expect(await run(settlement)).toBe(settlement);
    expect(sink.calls).toEqual([]);
  });
});

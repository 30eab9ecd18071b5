import { type Clock, TidingsError } from '@tidings/core';

/** An answer of Redis, or an error when it takes longer: a client that is away queues what it is asked. */
export async function within<Answer>(clock: Clock, ms: number, answer: Promise<Answer>): Promise<Answer> {
  const answered = new AbortController();
  const late = clock.wait(ms, answered.signal).then(() => {
    if (!answered.signal.aborted) throw new TidingsError('TIDINGS_REDIS_INBOX_AWAY', `Redis: expected an answer within ${ms} ms, found none; check the client`); // prettier-ignore
    return answer;
  });
  answer.catch(() => undefined); // of a late failure nobody hears any more
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    answered.abort();
  }
}

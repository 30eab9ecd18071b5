import { confirmed, failed, type PublishResult } from '@tidings/core';
import { RedisUnroutableError } from './redis.errors';
import { reasonOf } from './server-answers';

/** What a script answers for one message: `ok`, `unroutable`, or what the server said to it. An empty `group` is the whole topic. */
export function publishResultOf(
  { topic, group }: { readonly topic: string; readonly group: string },
  answer: string,
): PublishResult {
  if (answer === 'ok') return confirmed;
  if (answer === 'unroutable')
    return failed('unroutable', new RedisUnroutableError(topic, group === '' ? undefined : group));
  const error = Object.assign(new Error(answer), { name: 'ReplyError' });
  return failed(reasonOf(error), error);
}

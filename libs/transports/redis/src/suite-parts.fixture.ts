import { join } from 'node:path';
import { REDIS_LIST_CAPABILITIES } from './list/redis-list.transport';
import { REDIS_PUBSUB_CAPABILITIES } from './pubsub/redis-pubsub.transport';
import { REDIS_CAPABILITIES } from './redis.transport';

const NOBODY_ELSE = 'each consumer has every message, and nothing is handed back ("Redis Pub/Sub")';
const GONE =
  'what was published while nobody was connected, or not handled when its consumer went, is gone ("Redis Pub/Sub")';

/** What the conformance suite is told of each of this package's transports, whichever servers it runs on. */
export const STREAMS = {
  kind: 'redis',
  capabilities: REDIS_CAPABILITIES,
  cutRedelivers: false,
  exempt: {
    'connection cut: the attempt that it ended is counted':
      'a cut ends no attempt: the list of pending entries holds a delivery, and not the connection ("XPENDING")',
  },
} as const;
export const STREAMS_MODULE = { module: join(__dirname, 'redis.transport.ts'), factory: 'redis' } as const;

export const LISTS = {
  kind: 'redis-list',
  capabilities: REDIS_LIST_CAPABILITIES,
  cutRedelivers: false,
  exempt: {
    'connection cut: the attempt that it ended is counted':
      'a cut ends no attempt: the list of its consumer holds a delivery, and not the connection ("LMOVE")',
  },
} as const;
export const LISTS_MODULE = { module: join(__dirname, 'list/redis-list.transport.ts'), factory: 'redisList' } as const;

export const PUBSUB = {
  kind: 'redis-pubsub',
  capabilities: REDIS_PUBSUB_CAPABILITIES,
  subscription: { broadcast: true },
  exempt: {
    'two consumers of a group share': NOBODY_ELSE,
    'consumers of one new group subscribe concurrently': NOBODY_ELSE,
    'a consumer that is stuck holds what it took, and the others get the rest': NOBODY_ELSE,
    'stopped in mid-message: drained': NOBODY_ELSE,
    'released by a stop: delivered again, no attempt counted': GONE,
    'stopped past its drain time: signalled, released, delivered again': GONE,
    'paused and stopped: handed back, no attempt counted': GONE,
    'stopped and started again: what was published meanwhile is received': GONE,
    'the last transport closed, a new one gets what was published meanwhile': GONE,
  },
} as const;

export { redisInbox, RedisInbox } from './redis-inbox';
export { redisInboxFilter, RedisInboxFilter } from './redis-inbox-filter';
export type { RedisInboxFilterOptions, RedisInboxOptions } from './redis-inbox.options';

export * from './redis.errors';
export { redis, RedisTransport } from './redis.transport';
export type { RedisGroup, RedisOptions, RedisTopic } from './redis.options';
export type { RedisConnectionOptions } from './redis-connection.options';
export { redisList, RedisListTransport } from './list/redis-list.transport';
export type { RedisListOptions } from './list/redis-list.options';
export { redisPubSub, RedisPubSubTransport } from './pubsub/redis-pubsub.transport';
export type { RedisPubSubOptions } from './pubsub/redis-pubsub.options';
export type { RedisConsumingOptions } from './redis-consuming.options';

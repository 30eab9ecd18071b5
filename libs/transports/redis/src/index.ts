export * from './redis.errors';
export { redis, RedisTransport } from './redis.transport';
export type { RedisGroup, RedisOptions, RedisTopic } from './redis.options';

export * from './redis.errors';
export { redis, RedisTransport } from './redis.transport';
export type { RedisGroup, RedisOptions, RedisTls, RedisTopic } from './redis.options';

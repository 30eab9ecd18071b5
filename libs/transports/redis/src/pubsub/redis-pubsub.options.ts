import { parseOptions } from '@tidings/core';
import { z } from 'zod';
import { connectionShape, type RedisConnectionOptions } from '../redis-connection.options';

export interface RedisPubSubOptions extends RedisConnectionOptions {
  /** Messages that may wait in one subscription for its handler; Redis cannot be slowed down, and those beyond are **dropped**, and told. Default 10,000. */
  readonly maxWaiting?: number;
}

const schema = z.strictObject({ ...connectionShape, maxWaiting: z.int().min(1).default(10_000) });

export type PubSubSettings = z.output<typeof schema>;

/** @throws OptionsError that names the first bad option, as `redisPubSub.urls.0`. */
export const redisPubSubSettings = (options: RedisPubSubOptions): PubSubSettings =>
  parseOptions('redisPubSub', schema, options);

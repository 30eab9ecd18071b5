import { parseOptions } from '@tidings/core';
import { z } from 'zod';
import { consumingShape, type ConsumingSettings, type RedisConsumingOptions } from '../redis-consuming.options';

export type RedisListOptions = RedisConsumingOptions;

const schema = z.strictObject(consumingShape);

/** @throws OptionsError that names the first bad option, as `redisList.urls.0`. */
export const redisListSettings = (options: RedisListOptions): ConsumingSettings =>
  parseOptions('redisList', schema, options);

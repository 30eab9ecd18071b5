import { crc32c } from '../message/checksum';
import { reject } from '../transport/settlement';
import type { Middleware } from './middleware';

/** Rejects a payload whose bytes are not the ones that were published. A foreign message without a checksum passes. */
export const checksumMiddleware: Middleware = (context, next) => {
  const { crc32c: expected, payload } = context.message;
  if (expected === null) return next();
  const found = crc32c(payload);
  if (found === expected) return next();
  return Promise.resolve(
    reject(`corrupt payload: CRC-32C expected ${expected.toString(16)}, found ${found.toString(16)}`),
  );
};

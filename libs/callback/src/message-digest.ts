import { createHash } from 'node:crypto';

/** What a message is known by: of any length its names may be, 32 bytes. */
export const messageDigest = (source: string, id: string): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([source, id]))
    .digest();

import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';

/** A prefix of the spec's own on the real server. */
export class SpecRedis {
  readonly prefix = `spec-${randomBytes(4).toString('hex')}`;
  readonly client: Redis;

  constructor(url: string) {
    this.client = new Redis(url);
  }

  async keys(): Promise<string[]> {
    const found: string[] = [];
    for await (const keys of this.client.scanStream({ match: `${this.prefix}:*`, count: 1_000 })) found.push(...(keys as string[])); // prettier-ignore
    return found;
  }

  /** As FLUSHALL does, to what is this spec's. */
  async flush(): Promise<void> {
    const keys = await this.keys();
    if (keys.length > 0) await this.client.del(...keys);
  }

  async close(): Promise<void> {
    await this.flush();
    this.client.disconnect();
  }
}

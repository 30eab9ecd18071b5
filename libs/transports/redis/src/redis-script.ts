import { createHash } from 'node:crypto';
import { replyCode } from './server-answers';
import type { RedisConnection } from './redis-connection';

/** One script of Lua, sent by its hash; by its text where the server does not know it yet, as after a restart. Its only key is a topic's base. */
export class RedisScript {
  readonly #hash: string;

  constructor(private readonly text: string) {
    this.#hash = createHash('sha1').update(text).digest('hex');
  }

  /** The reply, texts as Buffers. Rejects with what the server answered, or with the loss of its connection. */
  async run(connection: RedisConnection, base: string, args: readonly (string | number | Buffer)[]): Promise<unknown> {
    try {
      return await connection.call('EVALSHA', [this.#hash, 1, base, ...args]);
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw error;
      return connection.call('EVAL', [this.text, 1, base, ...args]);
    }
  }
}

import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

/** One step of Lua, under a name that its text makes its own: a client that somebody else uses too must not confuse two versions of it. */
export function inboxScript(keys: number, lua: string) {
  const name = `tidings${createHash('sha1').update(lua).digest('hex')}`;
  return (client: Redis | Cluster, ...words: (string | number)[]): Promise<unknown> => {
    const known = client as unknown as Record<
      string,
      ((...words: (string | number)[]) => Promise<unknown>) | undefined
    >;
    if (!known[name]) client.defineCommand(name, { numberOfKeys: keys, lua });
    return known[name]!(...words);
  };
}

import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

const script = new RedisScript(`
local base = KEYS[1]
for k = 0, tonumber(redis.call('GET', base .. ':streams') or 0) - 1 do redis.call('DEL', base .. ':' .. k) end
redis.call('DEL', base .. ':streams', base .. ':groups', base .. ':delayed', base .. ':delayed:entries')
return 1
`);

/** Deletes what is the topic's own; its groups are removed before. */
export async function removeTopicKeys(connection: RedisConnection, base: string): Promise<void> {
  await script.run(connection, base, []);
}

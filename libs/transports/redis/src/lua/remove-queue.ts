import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group.
const script = new RedisScript(`
local base, group = KEYS[1], ARGV[1]
local own = base .. ':g:' .. group .. ':'
for _, consumer in ipairs(redis.call('ZRANGE', own .. 'members', 0, -1)) do redis.call('DEL', own .. 'taken:' .. consumer) end
redis.call('DEL', own .. 'queue', own .. 'members', own .. 'names', own .. 'dead')
redis.call('HDEL', base .. ':groups', group)
if redis.call('EXISTS', base .. ':groups') == 0 then redis.call('DEL', base .. ':delayed', base .. ':delayed:entries') end
return 1
`);

/** Deletes a group with all that waits for it; with the last group the topic's delayed messages. Idempotent. */
export async function removeQueue(connection: RedisConnection, base: string, group: string): Promise<void> {
  await script.run(connection, base, [group]);
}

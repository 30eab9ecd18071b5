import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group.
const script = new RedisScript(`
local base, group = KEYS[1], ARGV[1]
local own = base .. ':g:' .. group .. ':'
for k = 0, tonumber(redis.call('GET', base .. ':streams') or 0) - 1 do
  redis.pcall('XGROUP', 'DESTROY', base .. ':' .. k, group)
  redis.call('DEL', own .. k)
end
redis.call('DEL', own .. 'members', own .. 'names', own .. 'leases', own .. 'deaths', own .. 'dead')
return redis.call('HDEL', base .. ':groups', group)
`);

/** Deletes a group and all that is its own. Idempotent; answers whether there was one. */
export async function removeGroup(connection: RedisConnection, base: string, group: string): Promise<boolean> {
  return (await script.run(connection, base, [group])) === 1;
}

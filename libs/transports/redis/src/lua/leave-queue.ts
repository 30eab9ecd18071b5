import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, token. Should another process have the name by now, both list and name are its own.
const script = new RedisScript(`
local own, consumer = KEYS[1] .. ':g:' .. ARGV[1] .. ':', ARGV[2]
if redis.call('HGET', own .. 'names', consumer) ~= ARGV[3] then return 0 end
while redis.call('LMOVE', own .. 'taken:' .. consumer, own .. 'queue', 'LEFT', 'RIGHT') do end
redis.call('HDEL', own .. 'names', consumer)
redis.call('ZREM', own .. 'members', consumer)
return 1
`);

/** Gives whatever the consumer still holds back to its group, before all others and in its order, and the consumer's place, in one step. */
export async function leaveQueue(
  connection: RedisConnection,
  base: string,
  { group, consumer, token }: { readonly group: string; readonly consumer: string; readonly token: string },
): Promise<void> {
  await script.run(connection, base, [group, consumer, token]);
}

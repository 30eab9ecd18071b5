import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, token, then the suffixes of the streams. What it has is put under the name `released`, which tells whoever adopts it
// that nobody died; a consumer that owns entries all the same stays: removing it would drop them.
const script = new RedisScript(`
local base, group, consumer, token = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local own = base .. ':g:' .. group .. ':'
local leases = redis.call('HGETALL', own .. 'leases')
for i = 1, #leases, 2 do
  if leases[i + 1] == token then redis.call('HDEL', own .. 'leases', leases[i]) end
end
if redis.call('HGET', own .. 'names', consumer) == token then
  redis.call('HDEL', own .. 'names', consumer)
  redis.call('ZREM', own .. 'members', consumer)
end
for at = 4, #ARGV do
  local stream = base .. ':' .. ARGV[at]
  local pending = redis.pcall('XPENDING', stream, group, '-', '+', 10000, consumer)
  if not pending.err then
    for _, entry in ipairs(pending) do redis.call('XCLAIM', stream, group, 'released', 0, entry[1], 'JUSTID') end
    if #redis.call('XPENDING', stream, group, '-', '+', 1, consumer) == 0 then redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer) end
  end
end
return 1
`);

/** Gives up the consumer's place, its leases and, where it owns nothing, itself. */
export async function leaveGroup(
  connection: RedisConnection,
  base: string,
  reader: { readonly group: string; readonly consumer: string; readonly token: string },
  suffixes: readonly string[],
): Promise<void> {
  await script.run(connection, base, [reader.group, reader.consumer, reader.token, ...suffixes]);
}

import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, how many at most, then the suffixes of the streams.
const script = new RedisScript(`
local base, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local own = base .. ':g:' .. group .. ':'
local handed = 0
for at = 4, #ARGV do
  local stream = base .. ':' .. ARGV[at]
  for _, pending in ipairs(redis.call('XPENDING', stream, group, '-', '+', ARGV[3], consumer)) do
    local entry = redis.call('XRANGE', stream, pending[1], pending[1])[1]
    if entry then redis.call('XADD', own .. '0', '*', unpack(entry[2])) end
    redis.call('XACK', stream, group, pending[1])
    if string.sub(stream, 1, #own) == own then redis.call('XDEL', stream, pending[1]) end
    handed = handed + 1
  end
end
return handed
`);

/** Gives a page of what a consumer of a shared group holds back to the group, uncounted. Answers how much it was. */
export async function handBack(
  connection: RedisConnection,
  base: string,
  group: string,
  consumer: string,
  suffixes: readonly string[],
): Promise<number> {
  return (await script.run(connection, base, [group, consumer, 100, ...suffixes])) as number;
}

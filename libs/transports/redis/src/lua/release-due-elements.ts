import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';
import type { ReleasedMessages } from './release-due';

// ARGV: how many at most.
const script = new RedisScript(`
local base = KEYS[1]
local groups, known = redis.call('HKEYS', base .. ':groups'), {}
for _, group in ipairs(groups) do known[group] = true end
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local due = redis.call('ZRANGEBYSCORE', base .. ':delayed', '-inf', now, 'LIMIT', 0, ARGV[1])
local homeless = 0
for _, number in ipairs(due) do
  local packed = redis.call('HGET', base .. ':delayed:entries', number)
  if packed then
    local group, element = unpack(cmsgpack.unpack(packed))
    if group ~= '' and not known[group] then
      homeless = homeless + 1
    else
      for _, to in ipairs(group == '' and groups or { group }) do redis.call('LPUSH', base .. ':g:' .. to .. ':queue', element) end
    end
  end
  redis.call('HDEL', base .. ':delayed:entries', number)
  redis.call('ZREM', base .. ':delayed', number)
end
local next = redis.call('ZRANGE', base .. ':delayed', 0, 0, 'WITHSCORES')
return { #due, homeless, next[2] and math.max(0, math.ceil(next[2] - now)) or -1 }
`);

/** Moves delayed messages that are due into the lists of their groups, the earliest first, in one step. */
export async function releaseDueElements(
  connection: RedisConnection,
  base: string,
  limit: number,
): Promise<ReleasedMessages> {
  const [released, homeless, next] = (await script.run(connection, base, [limit])) as [number, number, number];
  return { released, homeless, nextMs: next < 0 ? undefined : next };
}

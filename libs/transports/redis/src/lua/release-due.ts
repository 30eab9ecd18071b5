import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: how many at most.
const script = new RedisScript(`
local base = KEYS[1]
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local due = redis.call('ZRANGEBYSCORE', base .. ':delayed', '-inf', now, 'LIMIT', 0, ARGV[1])
local homeless = 0
for _, number in ipairs(due) do
  local packed = redis.call('HGET', base .. ':delayed:entries', number)
  if packed then
    local group, lane, fields = unpack(cmsgpack.unpack(packed))
    local streams = tonumber(redis.call('GET', base .. ':streams') or 1)
    local shape = group ~= '' and redis.call('HGET', base .. ':groups', group) or nil
    if group == '' then
      redis.call('XADD', base .. ':' .. lane % streams, '*', unpack(fields))
    elseif shape then
      redis.call('XADD', base .. ':g:' .. group .. ':' .. (shape == 'ordered' and lane % streams or 0), '*', unpack(fields))
    else
      homeless = homeless + 1
    end
  end
  redis.call('HDEL', base .. ':delayed:entries', number)
  redis.call('ZREM', base .. ':delayed', number)
end
local next = redis.call('ZRANGE', base .. ':delayed', 0, 0, 'WITHSCORES')
return { #due, homeless, next[2] and math.max(0, math.ceil(next[2] - now)) or -1 }
`);

export interface ReleasedMessages {
  readonly released: number;
  /** Their group was removed meanwhile. */
  readonly homeless: number;
  /** Till the next is due. */
  readonly nextMs: number | undefined;
}

/** Moves delayed messages that are due into their streams, the earliest first, in one step. */
export async function releaseDue(connection: RedisConnection, base: string, limit: number): Promise<ReleasedMessages> {
  const [released, homeless, next] = (await script.run(connection, base, [limit])) as [number, number, number];
  return { released, homeless, nextMs: next < 0 ? undefined : next };
}

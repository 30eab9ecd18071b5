import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, token, lease in milliseconds, 1 when ordered.
const script = new RedisScript(`
local base, group, consumer, token = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local own = base .. ':g:' .. group .. ':'
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local function alive(name) return tonumber(redis.call('ZSCORE', own .. 'members', name) or 0) > now end
local holder = redis.call('HGET', own .. 'names', consumer)
if holder and holder ~= token and alive(consumer) then return { 0, 0, {} } end
redis.call('HSET', own .. 'names', consumer, token)
redis.call('ZADD', own .. 'members', now + tonumber(ARGV[4]), consumer)
local live = redis.call('ZCOUNT', own .. 'members', now, '+inf')
if ARGV[5] == '0' then return { 1, live, {} } end
local living = {}
local names = redis.call('HGETALL', own .. 'names')
for i = 1, #names, 2 do
  if alive(names[i]) then living[names[i + 1]] = true end
end
local streams = tonumber(redis.call('GET', base .. ':streams') or 0)
local share = math.ceil(streams / live)
local mine, free = {}, {}
for k = 0, streams - 1 do
  local owner = redis.call('HGET', own .. 'leases', k)
  if owner == token then mine[#mine + 1] = k
  elseif not owner or not living[owner] then free[#free + 1] = k end
end
for _, k in ipairs(free) do
  if #mine >= share then break end
  redis.call('HSET', own .. 'leases', k, token)
  mine[#mine + 1] = k
end
return { 1, live, mine }
`);

export interface Beat {
  /** False: a living process has this consumer's name. */
  readonly accepted: boolean;
  /** Consumers of the group that live, this one among them. */
  readonly live: number;
  /** The streams whose leases are this consumer's now. */
  readonly owned: readonly number[];
}

/**
 * Says that a consumer lives, by Redis's clock, for another lease; in an ordered group it keeps its leases by that, and takes free ones up to its
 * share. A lease is free when nobody has it, or whoever has it is dead.
 */
export async function beat(
  connection: RedisConnection,
  base: string,
  reader: { readonly group: string; readonly consumer: string; readonly token: string },
  leaseMs: number,
  ordered: boolean,
): Promise<Beat> {
  const { group, consumer, token } = reader;
  const args = [group, consumer, token, leaseMs, ordered ? 1 : 0];
  const [accepted, live, owned] = (await script.run(connection, base, args)) as [number, number, number[]];
  return { accepted: accepted === 1, live, owned };
}

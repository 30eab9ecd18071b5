import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: suffix, keep in milliseconds, stale after, then the groups that must be there.
const script = new RedisScript(`
local stream = KEYS[1] .. ':' .. ARGV[1]
if redis.call('EXISTS', stream) == 0 then return { 0, {} } end
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local missing = {}
for at = 4, #ARGV do missing[ARGV[at]] = true end
local lowMs, lowSeq = now - tonumber(ARGV[2]), 0
local stale, groups = {}, 0
for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = {}
  for i = 1, #info, 2 do group[info[i]] = info[i + 1] end
  missing[group.name] = nil
  groups = groups + 1
  local ms, seq
  if group.pending > 0 then
    ms, seq = parts(redis.call('XPENDING', stream, group.name)[2])
    if ms < now - tonumber(ARGV[3]) then stale[#stale + 1] = group.name end
  else
    ms, seq = parts(group['last-delivered-id'])
    seq = seq + 1
    local unread = redis.call('XRANGE', stream, '(' .. group['last-delivered-id'], '+', 'COUNT', 1)[1]
    if unread and parts(unread[1]) < now - tonumber(ARGV[3]) then stale[#stale + 1] = group.name end
  end
  if ms < lowMs or (ms == lowMs and seq < lowSeq) then lowMs, lowSeq = ms, seq end
end
if groups == 0 or next(missing) then return { 0, stale } end
return { redis.call('XTRIM', stream, 'MINID', '=', string.format('%.0f-%.0f', lowMs, lowSeq)), stale }
`);

/**
 * Trims a stream up to the oldest entry that one of its groups has not settled (MINID): MAXLEN would trim what is pending, too. Nothing while one of
 * `durable` is missing. `stale`: groups that have work older than `staleMs`, so that nothing behind it can go.
 */
export async function trimStream(
  connection: RedisConnection,
  base: string,
  suffix: string,
  limits: { readonly keepMs: number; readonly staleMs: number },
  durable: readonly string[],
): Promise<{ readonly trimmed: number; readonly stale: readonly string[] }> {
  const args = [suffix, limits.keepMs, limits.staleMs, ...durable];
  const [trimmed, stale] = (await script.run(connection, base, args)) as [number, Buffer[]];
  return { trimmed, stale: stale.map(String) };
}

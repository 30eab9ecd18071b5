import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, suffix, min-idle, deaths that make poison, how many, reason, 1 when whoever asks has the consumer's name.
// XCLAIM with min-idle is the referee: of two that reclaim, one is given the entry. Of a deleted entry it clears the pending list and gives nothing.
const script = new RedisScript(`
local base, group, consumer, suffix, idle, poison = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local own, stream = base .. ':g:' .. group .. ':', base .. ':' .. suffix
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
if ARGV[8] == '0' and tonumber(redis.call('ZSCORE', own .. 'members', consumer) or 0) > now then return { 0, 0, 0, 0 } end
local function raised(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then
      fields[i + 1] = string.format('%d', (tonumber(fields[i + 1]) or 0) + 1)
      return tonumber(fields[i + 1])
    end
  end
  fields[#fields + 1] = name
  fields[#fields + 1] = '1'
  return 1
end
local reclaimed, buried, gone = 0, 0, 0
local page = redis.call('XPENDING', stream, group, 'IDLE', idle, '-', '+', ARGV[6], consumer)
for _, pending in ipairs(page) do
  local id = pending[1]
  local entry = redis.call('XCLAIM', stream, group, 'reclaim', idle, id)[1]
  if not entry then
    gone = gone + 1
    redis.call('XACK', stream, group, id)
  else
    local fields = entry[2]
    local attempts, deaths = raised(fields, 'attempts'), raised(fields, 'deaths')
    if deaths >= poison then
      fields[#fields + 1] = 'tidings-reason'
      fields[#fields + 1] = ARGV[7]
      fields[#fields + 1] = 'tidings-attempts'
      fields[#fields + 1] = string.format('%d', attempts)
      redis.call('XADD', own .. 'dead', '*', unpack(fields))
      buried = buried + 1
    else
      redis.call('XADD', own .. '0', '*', unpack(fields))
      reclaimed = reclaimed + 1
    end
    redis.call('XACK', stream, group, id)
    if string.sub(stream, 1, #own) == own then redis.call('XDEL', stream, id) end
  end
end
if #page > 0 then redis.call('XGROUP', 'DELCONSUMER', stream, group, 'reclaim') end
return { reclaimed, buried, gone, #page }
`);

export interface ReclaimedPage {
  readonly reclaimed: number;
  /** Poison: now among the group's dead letters. */
  readonly buried: number;
  /** Trimmed or deleted while they were pending: nothing was left to deliver. */
  readonly gone: number;
  readonly page: number;
}

/**
 * Takes a page of what a dead consumer of a shared group holds from one stream back to the group, its death counted as an attempt; what too many died
 * with becomes a dead letter. An entry of the topic is never deleted, for other groups may need it: trimming removes it.
 */
export async function reclaimEntries(
  connection: RedisConnection,
  base: string,
  from: { readonly group: string; readonly consumer: string; readonly suffix: string; readonly mine: boolean },
  limits: { readonly idleMs: number; readonly poisonAfter: number },
): Promise<ReclaimedPage> {
  const { group, consumer, suffix, mine } = from;
  const reason = `redis: ${limits.poisonAfter} process(es) died while they handled it`;
  const args = [group, consumer, suffix, limits.idleMs, limits.poisonAfter, 100, reason, mine ? 1 : 0];
  const [reclaimed, buried, gone, page] = (await script.run(connection, base, args)) as [number, number, number, number]; // prettier-ignore
  return { reclaimed, buried, gone, page };
}

import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';
import { type Entry, entryOf, type RawEntry } from './entry';

// ARGV: group, consumer, token, number of the stream, suffix, deaths that make poison, reason.
// Of a key only the oldest entry can have reached a handler, so only its delivery is counted; an entry without a key is counted always.
const script = new RedisScript(`
local base, group, consumer = KEYS[1], ARGV[1], ARGV[2]
if redis.call('HGET', base .. ':g:' .. group .. ':leases', ARGV[4]) ~= ARGV[3] then return { {}, 0, 0 } end
local stream = base .. ':' .. ARGV[5]
local own = base .. ':g:' .. group .. ':'
local adopted, keys, gone, buried, from = {}, {}, 0, 0, '-'
while true do
  local page = redis.call('XPENDING', stream, group, from, '+', 100)
  for _, pending in ipairs(page) do
    local id, count = pending[1], pending[4]
    local entry = redis.call('XRANGE', stream, id, id)[1]
    if not entry then
      redis.call('XACK', stream, group, id)
      gone = gone + 1
    else
      local key
      for i = 1, #entry[2], 2 do if entry[2][i] == 'partitionkey' then key = entry[2][i + 1] end end
      local head = not key or not keys[key]
      if key then keys[key] = true end
      local made, deaths = head and count or 0, 0
      if head and pending[2] ~= 'released' then deaths = redis.call('HINCRBY', own .. 'deaths', ARGV[5] .. ' ' .. id, 1) end
      if deaths >= tonumber(ARGV[6]) then
        local fields = entry[2]
        for _, word in ipairs({ 'tidings-reason', ARGV[7], 'tidings-attempts', string.format('%d', made) }) do fields[#fields + 1] = word end
        redis.call('XADD', own .. 'dead', '*', unpack(fields))
        redis.call('XACK', stream, group, id)
        redis.call('HDEL', own .. 'deaths', ARGV[5] .. ' ' .. id)
        buried = buried + 1
      else
        redis.call('XCLAIM', stream, group, consumer, 0, id, 'RETRYCOUNT', made + 1, 'JUSTID')
        adopted[#adopted + 1] = { entry, made, deaths }
      end
    end
  end
  if #page < 100 then return { adopted, gone, buried } end
  from = '(' .. page[#page][1]
end
`);

/**
 * Takes over all that earlier consumers of a stream of an ordered group left unsettled, in its order. Nobody else can be handling it: the lease is
 * this consumer's, which the script asks for. What too many died with becomes a dead letter. `gone`: entries that were trimmed or deleted before they were settled.
 */
export async function adoptEntries(
  connection: RedisConnection,
  base: string,
  reader: { readonly group: string; readonly consumer: string; readonly token: string },
  number: number,
  suffix: string,
  poisonAfter: number,
): Promise<{ readonly entries: readonly Entry[]; readonly gone: number; readonly buried: number }> {
  const reason = `redis: ${poisonAfter} process(es) died while they handled it`;
  const args = [reader.group, reader.consumer, reader.token, number, suffix, poisonAfter, reason];
  const [adopted, gone, buried] = (await script.run(connection, base, args)) as [[RawEntry, number, number][], number, number]; // prettier-ignore
  return { entries: adopted.map(([entry, before, deaths]) => entryOf(suffix, entry, before, deaths)), gone, buried };
}

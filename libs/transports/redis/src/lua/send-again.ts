import type { RedisConnection } from '../redis-connection';
import type { Fields } from '../redis-mapping';
import { RedisScript } from '../redis-script';

// ARGV: group, the entry's suffix, its id, NOACK, lane, delay, then the fields.
const script = new RedisScript(`
local base, group, suffix, id = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local stream, own = base .. ':' .. suffix, base .. ':g:' .. group .. ':'
if ARGV[4] == '0' and redis.call('XACK', stream, group, id) == 0 then return 0 end
if string.sub(stream, 1, #own) == own then redis.call('XDEL', stream, id) end
local lane, delay, fields = tonumber(ARGV[5]), tonumber(ARGV[6]), {}
for i = 7, #ARGV do fields[#fields + 1] = ARGV[i] end
if delay > 0 then
  local now = redis.call('TIME')
  now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
  local number = redis.call('HINCRBY', base .. ':delayed:entries', 'last', 1)
  redis.call('HSET', base .. ':delayed:entries', number, cmsgpack.pack({ group, lane, fields }))
  redis.call('ZADD', base .. ':delayed', now + delay, number)
else
  local number = 0
  if redis.call('HGET', base .. ':groups', group) == 'ordered' then number = lane % tonumber(redis.call('GET', base .. ':streams')) end
  redis.call('XADD', own .. number, '*', unpack(fields))
end
return 1
`);

/**
 * Settles an entry and puts a copy in front of its group, now or when its delay is over, in one step: neither lost nor doubled by a crash. Answers false,
 * and copies nothing, when the entry was no longer the group's to settle.
 */
export async function sendAgain(
  connection: RedisConnection,
  base: string,
  entry: { readonly group: string; readonly suffix: string; readonly id: string; readonly noAck: boolean },
  copy: { readonly lane: number; readonly delayMs: number; readonly fields: Fields },
): Promise<boolean> {
  const { group, suffix, id, noAck } = entry;
  const args = [group, suffix, id, noAck ? 1 : 0, copy.lane, Math.ceil(copy.delayMs), ...copy.fields];
  return (await script.run(connection, base, args)) === 1;
}

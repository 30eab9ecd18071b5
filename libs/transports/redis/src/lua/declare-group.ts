import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

/** How a group reads: all of its consumers share, or each stream has one, or every consumer gets everything. */
export type GroupShape = 'shared' | 'ordered' | 'broadcast';

// ARGV: group, shape, where a new group begins, streams of a new topic, 1 when this process has declared it before.
// A group that was known and is gone was deleted: it begins at the oldest entry, for what came since must not be lost.
const script = new RedisScript(`
local base, group, shape = KEYS[1], ARGV[1], ARGV[2]
local streams = tonumber(redis.call('GET', base .. ':streams') or 0)
if streams == 0 then
  streams = tonumber(ARGV[4])
  redis.call('SET', base .. ':streams', streams)
end
local known = redis.call('HGET', base .. ':groups', group)
if known and known ~= shape then return { known, streams } end
local start = ARGV[3]
if shape ~= 'broadcast' and (known or ARGV[5] == '1') then start = '0' end
local function create(stream, from)
  local reply = redis.pcall('XGROUP', 'CREATE', stream, group, from, 'MKSTREAM')
  if type(reply) == 'table' and reply.err and not string.find(reply.err, 'BUSYGROUP') then error(reply.err) end
end
for k = 0, streams - 1 do create(base .. ':' .. k, start) end
if shape ~= 'broadcast' then
  for k = 0, (shape == 'ordered' and streams - 1 or 0) do create(base .. ':g:' .. group .. ':' .. k, '0') end
end
redis.call('HSET', base .. ':groups', group, shape)
return { shape, streams }
`);

/** Creates the group on all streams of the topic, in one step. Idempotent. Answers the shape that it has, which may be another, and the streams. */
export async function declareGroup(
  connection: RedisConnection,
  base: string,
  group: string,
  shape: GroupShape,
  options: { readonly start: string; readonly streams: number; readonly again: boolean },
): Promise<{ readonly shape: string; readonly streams: number }> {
  const args = [group, shape, options.start, options.streams, options.again ? 1 : 0];
  const [found, streams] = (await script.run(connection, base, args)) as [Buffer, number];
  return { shape: found.toString(), streams };
}

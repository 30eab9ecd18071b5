import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';
import { type Entry, entryOf, type RawEntry } from './entry';

// ARGV: group, consumer, how many suffixes, these suffixes, then what is known as suffix and id in turn.
const script = new RedisScript(`
local base, group, consumer, count = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local known = {}
for at = 4 + count, #ARGV, 2 do known[ARGV[at] .. ' ' .. ARGV[at + 1]] = true end
local unread, gone = {}, 0
for i = 1, count do
  local suffix = ARGV[3 + i]
  local stream = base .. ':' .. suffix
  for _, pending in ipairs(redis.call('XPENDING', stream, group, '-', '+', 10000, consumer)) do
    if not known[suffix .. ' ' .. pending[1]] then
      local entry = redis.call('XRANGE', stream, pending[1], pending[1])[1]
      if entry then
        unread[#unread + 1] = { suffix, entry, pending[4] }
      else
        redis.call('XACK', stream, group, pending[1])
        gone = gone + 1
      end
    end
  end
end
return { unread, gone }
`);

/** What Redis gave this consumer, and the reply was lost with the connection: pending here, and nobody has it. The oldest first. */
export async function findUnread(
  connection: RedisConnection,
  base: string,
  reader: { readonly group: string; readonly consumer: string },
  suffixes: readonly string[],
  known: readonly { readonly suffix: string; readonly id: string }[],
): Promise<{ readonly entries: readonly Entry[]; readonly gone: number }> {
  const args = [reader.group, reader.consumer, suffixes.length, ...suffixes, ...known.flatMap(({ suffix, id }) => [suffix, id])]; // prettier-ignore
  const [unread, gone] = (await script.run(connection, base, args)) as [[Buffer, RawEntry, number][], number];
  return {
    entries: unread.map(([suffix, entry, count]) => entryOf(suffix.toString(), entry, Math.max(0, count - 1))),
    gone,
  };
}

import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';
import { type Entry, entryOf, type RawEntry } from './entry';

// ARGV: group, consumer, how many, NOACK, who holds the leases or nothing, then for each stream: its suffix and its number.
// A stream whose lease is somebody else's by now is passed over: whoever slept past its lease takes nothing.
const script = new RedisScript(`
local base, group, consumer, room, token = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[5]
local taken = {}
for at = 6, #ARGV, 2 do
  if room <= 0 then break end
  local stream = base .. ':' .. ARGV[at]
  if token == '' or redis.call('HGET', base .. ':g:' .. group .. ':leases', ARGV[at + 1]) == token then
    local words = { 'GROUP', group, consumer, 'COUNT', room }
    if ARGV[4] == '1' then words[#words + 1] = 'NOACK' end
    words[#words + 1] = 'STREAMS'
    words[#words + 1] = stream
    words[#words + 1] = '>'
    local reply = redis.call('XREADGROUP', unpack(words))
    if reply and reply[1] then
      room = room - #reply[1][2]
      taken[#taken + 1] = { ARGV[at], reply[1][2] }
    end
  end
end
if #taken > 0 or token == '' then return { taken } end
local last = {}
for at = 6, #ARGV, 2 do
  local entry = redis.call('XREVRANGE', base .. ':' .. ARGV[at], '+', '-', 'COUNT', 1)
  last[#last + 1] = entry[1] and entry[1][1] or '0-0'
end
return { taken, last }
`);

export interface Source {
  readonly suffix: string;
  /** The stream's number. */
  readonly number: number;
}

/**
 * Takes up to `room` entries that no consumer of the group was given yet. With a token only from streams whose lease has it; then, when there are none,
 * `last` has the newest entry's id of each, to wait behind.
 */
export async function takeEntries(
  connection: RedisConnection,
  base: string,
  reader: { readonly group: string; readonly consumer: string; readonly noAck: boolean; readonly token: string },
  room: number,
  sources: readonly Source[],
): Promise<{ readonly entries: readonly Entry[]; readonly last: readonly string[] }> {
  const { group, consumer, noAck, token } = reader;
  const args = [group, consumer, room, noAck ? 1 : 0, token, ...sources.flatMap(({ suffix, number }) => [suffix, number])]; // prettier-ignore
  const [taken, last = []] = (await script.run(connection, base, args)) as [[Buffer, RawEntry[]][], Buffer[]?];
  return {
    entries: taken.flatMap(([suffix, entries]) => entries.map((entry) => entryOf(suffix.toString(), entry))),
    last: last.map(String),
  };
}

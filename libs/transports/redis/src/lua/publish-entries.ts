import type { PublishResult } from '@tidings/core';
import type { Letter } from '../paged-publisher';
import { publishResultOf } from '../publish-result';
import type { RedisConnection } from '../redis-connection';
import type { Fields } from '../redis-mapping';
import { RedisScript } from '../redis-script';

/** A message made ready for its stream. */
export interface StreamLetter extends Letter {
  /** As groups are called at Redis; empty: the whole topic. */
  readonly group: string;
  readonly lane: number;
  readonly required: boolean;
  readonly delayMs: number;
  /** `*`: Redis's own. */
  readonly entryId: string;
  readonly fields: Fields;
}

// ARGV: streams, how many words of trimming, these words, then for each message: group, lane, required, delay, id, how many fields, these fields.
const script = new RedisScript(`
local base = KEYS[1]
local streams = tonumber(redis.call('GET', base .. ':streams') or 0)
if streams == 0 then
  streams = tonumber(ARGV[1])
  redis.call('SET', base .. ':streams', streams)
end
local trim = {}
for i = 1, tonumber(ARGV[2]) do trim[i] = ARGV[2 + i] end
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local anybody = redis.call('HLEN', base .. ':groups') > 0
local results = {}
local at = 3 + #trim
while at <= #ARGV do
  local group, lane, required, delay, id, count = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2] == '1', tonumber(ARGV[at + 3]), ARGV[at + 4], tonumber(ARGV[at + 5])
  local fields = {}
  for i = 1, count do fields[i] = ARGV[at + 5 + i] end
  at = at + 6 + count
  local shape = group ~= '' and redis.call('HGET', base .. ':groups', group) or nil
  local answer = 'ok'
  if (group ~= '' and not shape) or (group == '' and not anybody and required) then
    answer = 'unroutable'
  elseif delay > 0 then
    local number = redis.call('HINCRBY', base .. ':delayed:entries', 'last', 1)
    redis.call('HSET', base .. ':delayed:entries', number, cmsgpack.pack({ group, lane, fields }))
    redis.call('ZADD', base .. ':delayed', now + delay, number)
  else
    local words = { base .. ':' .. lane % streams }
    if group ~= '' then words[1] = base .. ':g:' .. group .. ':' .. (shape == 'ordered' and lane % streams or 0) end
    if group == '' and not anybody then words[#words + 1] = 'NOMKSTREAM' end
    if group == '' then for i = 1, #trim do words[#words + 1] = trim[i] end end
    words[#words + 1] = id
    for i = 1, #fields do words[#words + 1] = fields[i] end
    local reply = redis.pcall('XADD', unpack(words))
    if type(reply) == 'table' and reply.err then answer = reply.err end
  end
  results[#results + 1] = answer
end
return results
`);

/** Adds each message to its stream in one step, the order kept; what has a delay to the delayed ones. One result a message. */
export async function publishEntries(
  connection: RedisConnection,
  base: string,
  options: { readonly streams: number; readonly trim: readonly string[] },
  letters: readonly StreamLetter[],
): Promise<PublishResult[]> {
  const words = letters.flatMap(({ group, lane, required, delayMs, entryId, fields }) => [
    ...[group, lane, required ? 1 : 0, Math.ceil(delayMs), entryId, fields.length],
    ...fields,
  ]);
  const { streams, trim } = options;
  const answers = (await script.run(connection, base, [streams, trim.length, ...trim, ...words])) as Buffer[];
  return letters.map((letter, index) => publishResultOf(letter, answers[index]!.toString()));
}

import type { PublishResult } from '@tidings/core';
import type { Letter } from '../paged-publisher';
import { publishResultOf } from '../publish-result';
import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

/** A message made ready for the lists of its groups. */
export interface ListLetter extends Letter {
  /** As groups are called at Redis; empty: all of the topic. */
  readonly group: string;
  readonly required: boolean;
  readonly delayMs: number;
  readonly element: string;
}

// ARGV: for each message group, required, delay, element.
const script = new RedisScript(`
local base = KEYS[1]
local groups, known = redis.call('HKEYS', base .. ':groups'), {}
for _, group in ipairs(groups) do known[group] = true end
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local results = {}
for at = 1, #ARGV, 4 do
  local group, required, delay, element = ARGV[at], ARGV[at + 1] == '1', tonumber(ARGV[at + 2]), ARGV[at + 3]
  local answer = 'ok'
  if (group ~= '' and not known[group]) or (group == '' and #groups == 0 and required) then
    answer = 'unroutable'
  elseif delay > 0 then
    local number = redis.call('HINCRBY', base .. ':delayed:entries', 'last', 1)
    redis.call('HSET', base .. ':delayed:entries', number, cmsgpack.pack({ group, element }))
    redis.call('ZADD', base .. ':delayed', now + delay, number)
  else
    for _, to in ipairs(group == '' and groups or { group }) do redis.call('LPUSH', base .. ':g:' .. to .. ':queue', element) end
  end
  results[#results + 1] = answer
end
return results
`);

/** Puts each message at the end of the list of each of its groups in one step, the order kept; what has a delay to the delayed ones. */
export async function publishElements(
  connection: RedisConnection,
  base: string,
  letters: readonly ListLetter[],
): Promise<PublishResult[]> {
  const words = letters.flatMap(({ group, required, delayMs, element }) => [group, required ? 1 : 0, Math.ceil(delayMs), element]); // prettier-ignore
  const answers = (await script.run(connection, base, words)) as Buffer[];
  return letters.map((letter, index) => publishResultOf(letter, answers[index]!.toString()));
}

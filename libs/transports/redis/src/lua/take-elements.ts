import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, how many. Who is no member any more takes nothing: a dead consumer's list is looked for by its name among the members.
const script = new RedisScript(`
local base, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local own = base .. ':g:' .. group .. ':'
local again = redis.call('HSETNX', base .. ':groups', group, 'list')
if not redis.call('ZSCORE', own .. 'members', consumer) then return { {}, -1, again } end
local taken = {}
for i = 1, tonumber(ARGV[3]) do
  local element = redis.call('LMOVE', own .. 'queue', own .. 'taken:' .. consumer, 'RIGHT', 'LEFT')
  if not element then break end
  taken[i] = element
end
return { taken, redis.call('LLEN', own .. 'taken:' .. consumer), again }
`);

export interface TakenElements {
  readonly elements: readonly Buffer[];
  /** The length of the consumer's list; undefined: it is no member of the group, and was given nothing. */
  readonly held: number | undefined;
  /** The group was gone, and is declared again. */
  readonly declared: boolean;
}

/** Moves up to `room` elements, the oldest first, from the group's list to the consumer's own. Declares the group, should it be gone. */
export async function takeElements(
  connection: RedisConnection,
  base: string,
  reader: { readonly group: string; readonly consumer: string },
  room: number,
): Promise<TakenElements> {
  const words = [reader.group, reader.consumer, room];
  const [elements, held, again] = (await script.run(connection, base, words)) as [Buffer[], number, number];
  return { elements, held: held < 0 ? undefined : held, declared: again === 1 };
}

import type { RedisConnection } from '../redis-connection';
import type { Fields } from '../redis-mapping';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, the element, 1 when only a dead consumer's may be moved, where to, delay, then the copy or the letter's fields.
// LREM is the referee: of two that settle an element, one finds it.
const script = new RedisScript(`
local base, group, consumer, to, delay = KEYS[1], ARGV[1], ARGV[2], ARGV[5], tonumber(ARGV[6])
local own = base .. ':g:' .. group .. ':'
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
if ARGV[4] == '1' and tonumber(redis.call('ZSCORE', own .. 'members', consumer) or 0) > now then return 0 end
if redis.call('LREM', own .. 'taken:' .. consumer, -1, ARGV[3]) == 0 then return 0 end
if to == 'dead' then
  local fields = {}
  for i = 7, #ARGV do fields[#fields + 1] = ARGV[i] end
  redis.call('XADD', own .. 'dead', '*', unpack(fields))
elseif to == 'head' then
  redis.call('RPUSH', own .. 'queue', ARGV[7])
elseif delay > 0 then
  local number = redis.call('HINCRBY', base .. ':delayed:entries', 'last', 1)
  redis.call('HSET', base .. ':delayed:entries', number, cmsgpack.pack({ group, ARGV[7] }))
  redis.call('ZADD', base .. ':delayed', now + delay, number)
else
  redis.call('LPUSH', own .. 'queue', ARGV[7])
end
return 1
`);

/** Where a taken element goes: before all others of the group, behind them now or when its delay is over, or among the dead letters. */
export type Move =
  | { readonly to: 'head'; readonly element: Buffer | string }
  | { readonly to: 'end'; readonly element: Buffer | string; readonly delayMs: number }
  | { readonly to: 'dead'; readonly fields: Fields };

export interface Holder {
  readonly group: string;
  readonly consumer: string;
  /** Nothing is moved from a consumer that lives by Redis's clock: for whoever takes from somebody else. */
  readonly dead: boolean;
}

/** Takes an element from a consumer's own list and puts what replaces it elsewhere, in one step. Answers false, and does nothing, when it is not there. */
export async function moveElement(
  connection: RedisConnection,
  base: string,
  { group, consumer, dead }: Holder,
  element: Buffer,
  move: Move,
): Promise<boolean> {
  const delayMs = move.to === 'end' ? Math.ceil(move.delayMs) : 0;
  const words = [group, consumer, element, dead ? 1 : 0, move.to, delayMs];
  const rest = move.to === 'dead' ? move.fields : [move.element];
  return (await script.run(connection, base, [...words, ...rest])) === 1;
}

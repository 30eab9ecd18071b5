import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, for how long it must be dead.
const script = new RedisScript(`
local own, consumer = KEYS[1] .. ':g:' .. ARGV[1] .. ':', ARGV[2]
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
local until_ = tonumber(redis.call('ZSCORE', own .. 'members', consumer) or 0)
if until_ + tonumber(ARGV[3]) > now or redis.call('EXISTS', own .. 'taken:' .. consumer) == 1 then return 0 end
redis.call('HDEL', own .. 'names', consumer)
return redis.call('ZREM', own .. 'members', consumer)
`);

/** Forgets a consumer that is dead for so long and holds nothing. Answers whether it did. */
export async function forgetConsumer(
  connection: RedisConnection,
  base: string,
  group: string,
  consumer: string,
  afterMs: number,
): Promise<boolean> {
  return (await script.run(connection, base, [group, consumer, afterMs])) === 1;
}

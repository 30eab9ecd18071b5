import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, suffix.
const script = new RedisScript(`
local own, stream, group, consumer = KEYS[1] .. ':g:' .. ARGV[1] .. ':', KEYS[1] .. ':' .. ARGV[3], ARGV[1], ARGV[2]
local now = redis.call('TIME')
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
if tonumber(redis.call('ZSCORE', own .. 'members', consumer) or 0) > now then return 0 end
if #redis.call('XPENDING', stream, group, '-', '+', 1, consumer) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer)
return 1
`);

/** Removes a consumer that is dead and owns nothing, asked and done in one step: DELCONSUMER would drop what it owns. */
export async function removeConsumer(
  connection: RedisConnection,
  base: string,
  group: string,
  consumer: string,
  suffix: string,
): Promise<boolean> {
  return (await script.run(connection, base, [group, consumer, suffix])) === 1;
}

import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, consumer, token, number of the stream, suffix, id, count.
const script = new RedisScript(`
local base, group, stream, id = KEYS[1], ARGV[1], KEYS[1] .. ':' .. ARGV[5], ARGV[6]
if redis.call('HGET', base .. ':g:' .. group .. ':leases', ARGV[4]) ~= ARGV[3] then return 0 end
if #redis.call('XPENDING', stream, group, id, id, 1) == 0 then return 0 end
redis.call('XCLAIM', stream, group, ARGV[2], 0, id, 'RETRYCOUNT', ARGV[7], 'JUSTID')
return 1
`);

/** Writes down how many attempts an unsettled entry of an ordered group has had, for whoever takes it over. */
export async function keepCount(
  connection: RedisConnection,
  base: string,
  reader: { readonly group: string; readonly consumer: string; readonly token: string },
  entry: { readonly number: number; readonly suffix: string; readonly id: string },
  count: number,
): Promise<void> {
  const { group, consumer, token } = reader;
  await script.run(connection, base, [group, consumer, token, entry.number, entry.suffix, entry.id, count]);
}

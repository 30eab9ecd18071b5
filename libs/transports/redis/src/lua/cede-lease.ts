import type { RedisConnection } from '../redis-connection';
import { RedisScript } from '../redis-script';

// ARGV: group, token, number of the stream.
const script = new RedisScript(`
local leases = KEYS[1] .. ':g:' .. ARGV[1] .. ':leases'
if redis.call('HGET', leases, ARGV[3]) == ARGV[2] then return redis.call('HDEL', leases, ARGV[3]) end
return 0
`);

/** Gives a stream up for other consumers of an ordered group, when nothing of it runs here any more. */
export async function cedeLease(
  connection: RedisConnection,
  base: string,
  reader: { readonly group: string; readonly token: string },
  number: number,
): Promise<void> {
  await script.run(connection, base, [reader.group, reader.token, number]);
}

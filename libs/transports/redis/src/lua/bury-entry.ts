import type { RedisConnection } from '../redis-connection';
import type { Fields } from '../redis-mapping';
import { RedisScript } from '../redis-script';

// ARGV: group at Redis, the entry's suffix, its id, NOACK, the group that the letters are kept for, then the fields.
const script = new RedisScript(`
local base, group, suffix, id = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local stream, own = base .. ':' .. suffix, base .. ':g:' .. group .. ':'
if ARGV[4] == '0' and redis.call('XACK', stream, group, id) == 0 then return 0 end
if string.sub(stream, 1, #own) == own then redis.call('XDEL', stream, id) end
local fields = {}
for i = 6, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('XADD', base .. ':g:' .. ARGV[5] .. ':dead', '*', unpack(fields))
return 1
`);

/** Settles an entry and files it among its group's dead letters, in one step. Answers false when it was no longer the group's to settle. */
export async function buryEntry(
  connection: RedisConnection,
  base: string,
  entry: { readonly group: string; readonly suffix: string; readonly id: string; readonly noAck: boolean },
  letter: { readonly group: string; readonly fields: Fields },
): Promise<boolean> {
  const { group, suffix, id, noAck } = entry;
  const args = [group, suffix, id, noAck ? 1 : 0, letter.group, ...letter.fields];
  return (await script.run(connection, base, args)) === 1;
}

import type { RedisConnection } from './redis-connection';

/** Milliseconds since 1970 by the clock of whoever has this key, by which its members' times are. */
export async function serverTime(connection: RedisConnection, key: string): Promise<number> {
  const [time] = (await connection.callNear(key, [['TIME']])) as [readonly Buffer[]];
  const [seconds, micros] = time.map(Number);
  return seconds! * 1_000 + Math.floor(micros! / 1_000);
}

import { messageOf, type NativeDeadLetter } from '@tidings/core';
import type { RawEntry } from './lua/entry';
import type { RedisConnection } from './redis-connection';
import { FIELDS, fromFields } from './redis-mapping';

export interface FoundLetter {
  readonly id: string;
  readonly letter: NativeDeadLetter;
}

/** The oldest of a stream of dead letters; they stay there. */
export async function readDeadLetters(
  connection: RedisConnection,
  stream: string,
  topic: string,
  limit: number,
): Promise<readonly FoundLetter[]> {
  const entries = (await connection.call('XRANGE', [stream, '-', '+', 'COUNT', limit])) as RawEntry[];
  return entries.map(([id, fields]) => ({ id: id.toString(), letter: letterOf(fields ?? [], topic) }));
}

/** A dead letter may be one because it is no message at all; a person still wants to see it. */
function letterOf(fields: readonly Buffer[], topic: string): NativeDeadLetter {
  try {
    const { message, reason, buriedAttempts, attempts } = fromFields(fields, topic);
    return { message, reason, attempts: buriedAttempts ?? attempts };
  } catch {
    const found = new Map<string, Buffer>();
    for (let at = 0; at + 1 < fields.length; at += 2) found.set(fields[at]!.toString(), fields[at + 1]!);
    const text = (name: string): string => found.get(name)?.toString() || 'unknown';
    const attributes = { id: text('id'), source: text('source'), type: text('type') };
    const payload = found.get(FIELDS.data) ?? Buffer.alloc(0);
    const reason = found.get(FIELDS.reason)?.toString() ?? '';
    return { message: messageOf(attributes, payload, topic, {}).message, reason, attempts: 0 };
  }
}

import { type Message, messageOf, type NativeDeadLetter } from '@tidings/core';
import type { FetchedRecord, KafkaAdmin } from './client/kafka-client';
import { fromKafka, OWN_HEADERS, textOf } from './kafka-mapping';

/** Reads the oldest that nobody has taken from a dead-letter topic. It is a log: reading leaves them where they are. */
export async function readDeadLetters(admin: KafkaAdmin, name: string, topic: string, limit: number): Promise<readonly NativeDeadLetter[]> {
  if ((await admin.partitions(name)) === 0) return []; // nothing was ever rejected
  const [ends] = await admin.ends(name);
  const [taken] = await admin.committed(name, name, 1);
  const letters: NativeDeadLetter[] = [];
  let next = Math.max(ends?.low ?? 0, taken?.offset ?? 0);
  while (letters.length < limit && next < (ends?.high ?? 0)) {
    const records = await admin.read(name, 0, next);
    const last = records.at(-1);
    if (!last) break; // what is left is not ours to see
    letters.push(...records.map((record) => letterOf(record, topic)));
    next = last.offset + 1;
  }
  return letters.slice(0, limit);
} // prettier-ignore

export function letterOf(record: FetchedRecord, topic: string): NativeDeadLetter {
  const { message, attempts } = readable(record, topic);
  const counted = textOf(record.headers[OWN_HEADERS.attempts]);
  return {
    message,
    reason: textOf(record.headers[OWN_HEADERS.reason]),
    attempts: /^\d+$/.test(counted) ? Number(counted) : attempts,
  };
}

/** A dead letter may be one because it is no message at all; a person still wants to see it. */
function readable(record: FetchedRecord, topic: string): { readonly message: Message; readonly attempts: number } {
  try {
    return fromKafka(record, topic);
  } catch {
    const text = (name: string): string => textOf(record.headers[`ce_${name}`]) || 'unknown';
    const attributes = { id: text('id'), source: text('source'), type: text('type') };
    const headers = Object.entries(record.headers).map(([name, value]) => [name, textOf(value)] as const);
    return { message: messageOf(attributes, record.value ?? Buffer.alloc(0), topic, Object.fromEntries(headers)).message, attempts: 0 }; // prettier-ignore
  }
}

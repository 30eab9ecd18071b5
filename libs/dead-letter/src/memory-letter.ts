import type { DeadLetter, FailureRecord } from '@tidings/core';
import type { CheckedLetterFilter } from './letter-filter';
import type { GroupedBy } from './letter-group';
import { letterColumns } from './letter-columns';
import { storable } from './storable-text';
import { storedFailures } from './stored-failures';
import type { LetterSummary, StoredLetter } from './stored-letter';

/** A letter as memory keeps it: what the table in a database would give back. */
export interface MemoryLetter extends StoredLetter {
  readonly tenant: string | null;
  /** Of its message's first letter: the order in which messages failed. */
  readonly position: string;
  /** The job that redrives it, or did. */
  readonly job: string | null;
}

/** A new letter, its texts cleaned as the table's columns are; the id is the keeper's to give. */
export function memoryLetterOf(
  letter: DeadLetter,
  identity: string,
  failures: readonly FailureRecord[],
  buriedAt: string,
): MemoryLetter {
  const columns = letterColumns(letter);
  const text = (name: string): string => columns[name] as string;
  const nullable = (name: string): string | null => columns[name] as string | null;
  const { message, direction, attempts } = letter;
  return {
    id: '',
    identity,
    status: 'dead',
    buriedAt,
    settledAt: null,
    redrive: null,
    failureFingerprint: (columns['failure_fingerprint'] as Buffer).toString('hex'),
    direction,
    transport: text('transport'),
    place: text('place'),
    ...(letter.group !== undefined && { group: text('audience') }),
    ...(letter.handler !== undefined && { handler: text('handler') }),
    reason: text('reason'),
    attempts,
    failures: JSON.parse(storedFailures(failures)) as FailureRecord[],
    message: {
      ...message,
      id: text('message_id'),
      source: text('source'),
      type: text('type'),
      topic: text('topic'),
      key: nullable('key'),
      time: text('time'),
      contentType: text('content_type'),
      bucket: nullable('bucket'),
      payload: columns['payload'] as Buffer,
      headers: { ...message.headers },
    },
    traceId: nullable('trace_id'),
    tenant: nullable('tenant'),
    position: '',
    job: null,
    editedPayload: null,
    editedHeaders: null,
    audit: [],
  };
}

const lastErrorOf = ({ failures }: MemoryLetter): string | null => failures.at(-1)?.errors[0]?.name ?? null;

export const groupedAs = ({ failureFingerprint, message, place }: MemoryLetter, by: GroupedBy): string =>
  by === 'failure' ? failureFingerprint : (by === 'type' ? message.type : place).slice(0, 200);

export function summaryOf(letter: MemoryLetter): LetterSummary {
  const { message, editedPayload, editedHeaders } = letter;
  const { id, status, buriedAt, settledAt, direction, transport, place, reason, attempts, tenant } = letter;
  const { failureFingerprint, traceId, handler = null } = letter;
  const { id: messageId, source, type, topic, key, generation } = message;
  return {
    id, status, buriedAt, settledAt, direction, transport, place, reason, attempts, tenant, failureFingerprint, traceId, handler,
    messageId, source, type, topic, key, generation,
    errorName: lastErrorOf(letter),
    edited: editedPayload !== null || editedHeaders !== null,
  }; // prettier-ignore
}

const PLAIN = ['direction', 'place', 'transport', 'topic', 'type', 'key', 'source', 'messageId', 'tenant', 'traceId', 'failureFingerprint', 'errorName'] as const; // prettier-ignore

const contains = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase());

/** Does all of the filter hold for the letter? */
export function fits(letter: MemoryLetter, filter: CheckedLetterFilter): boolean {
  const summary = summaryOf(letter);
  const { status, reason, text, buriedFrom, buriedBefore } = filter;
  const story = [letter.reason, ...letter.failures.flatMap(({ errors }) => errors.map(({ message }) => message))];
  const buriedAt = Date.parse(letter.buriedAt);
  return (
    status.includes(letter.status) &&
    PLAIN.every((name) => filter[name] === undefined || summary[name] === storable(filter[name])) &&
    (reason === undefined || contains(letter.reason, reason)) &&
    (text === undefined || story.some((told) => contains(told, text))) &&
    (buriedFrom === undefined || buriedAt >= Date.parse(buriedFrom)) &&
    (buriedBefore === undefined || buriedAt < Date.parse(buriedBefore))
  );
}

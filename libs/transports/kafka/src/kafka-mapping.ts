import {
  ATTRIBUTE_NAMES,
  attributesOf,
  type EventParts,
  messageOf,
  type OutgoingMessage,
  partsOfEvent,
  STRUCTURED_EVENT,
  TidingsError,
  type WireMessage,
} from '@tidings/core';
import type { FetchedRecord, KafkaHeaders } from './client/kafka-client';

/** CloudEvents' Kafka binding, binary mode: the prefix of attributes. `datacontenttype` alone is the header `content-type`. */
const ATTRIBUTE = 'ce_';
const CONTENT_TYPE = 'content-type';

/** Headers of ours on copies; a message's own may not have these names. */
export const OWN_HEADERS = {
  /** On a retry: not before this instant, milliseconds since 1970. */
  due: 'tidings-due',
  /** On a dead letter: why. */
  reason: 'tidings-reason',
  /** On a dead letter: how often it was tried. */
  attempts: 'tidings-attempts',
} as const;

const isReserved = (name: string): boolean =>
  name.startsWith(ATTRIBUTE) || name === CONTENT_TYPE || (Object.values(OWN_HEADERS) as string[]).includes(name);

/** A record without its partition. */
export interface KafkaForm {
  readonly key: Buffer | null;
  readonly value: Buffer;
  readonly headers: KafkaHeaders;
}

/** How a record of somebody who knows no CloudEvents becomes a message. */
export interface ForeignRecords {
  readonly source: string;
  readonly type?: string | undefined;
}

/** @throws TidingsError `TIDINGS_WIRE` for a header that has a name of the wire's. */
export function toKafka(outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>): KafkaForm {
  const { message } = outgoing;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (isReserved(name)) {
      throw new TidingsError(
        'TIDINGS_WIRE',
        `message ${message.id}: header ${name} cannot be sent by Kafka: the name is the wire's own; rename it`,
      );
    }
    headers[name] = value;
  }
  for (const [name, value] of Object.entries(attributesOf(outgoing)))
    headers[name === 'datacontenttype' ? CONTENT_TYPE : ATTRIBUTE + name] = value;
  return {
    key: message.key === null ? null : Buffer.from(message.key, 'utf8'),
    value: Buffer.from(message.payload), // a copy: the sender's buffer is its own again, and a client may hold on to ours
    headers,
  };
}

/**
 * The message in a record, in either mode of CloudEvents. Of a foreign one the record's key fills in for the attribute; with `foreign`, its place in the log is its id.
 *
 * @throws TidingsError `TIDINGS_WIRE` when there is no id, source or type to be had.
 */
export function fromKafka(record: FetchedRecord, topic: string, foreign?: ForeignRecords): WireMessage {
  const { attributes, headers, payload } = isStructured(record) ? partsOfEvent(record.value, topic) : partsOf(record);
  if (record.key !== null) attributes['partitionkey'] ??= record.key.toString('utf8');
  if (foreign && attributes['id'] === undefined) {
    attributes['id'] = `${record.topic}/${record.partition}/${record.offset}`;
    attributes['source'] ??= foreign.source;
    attributes['type'] ??= foreign.type ?? topic;
  }
  return messageOf(attributes, payload, topic, headers);
}

/** Of a foreign sender. A message of ours may have a CloudEvent for its payload: it has attributes beside. */
const isStructured = (record: FetchedRecord): record is FetchedRecord & { readonly value: Buffer } =>
  record.value !== null &&
  textOf(record.headers[CONTENT_TYPE]).startsWith(STRUCTURED_EVENT) &&
  record.headers[`${ATTRIBUTE}specversion`] === undefined;

function partsOf(record: FetchedRecord): EventParts {
  const attributes: Record<string, string> = {};
  const headers: Record<string, string> = {};
  for (const [name, raw] of Object.entries(record.headers)) {
    const value = textOf(raw);
    if (name === CONTENT_TYPE) attributes['datacontenttype'] = value;
    else if (!name.startsWith(ATTRIBUTE)) {
      if (!isReserved(name)) headers[name] = value;
    } else {
      const attribute = name.slice(ATTRIBUTE.length);
      if (ATTRIBUTE_NAMES.has(attribute)) attributes[attribute] = value;
      else headers[attribute] ??= value; // a foreign extension, as traceparent, or of a later minor version
    }
  }
  return { attributes, headers, payload: record.value ?? Buffer.alloc(0) };
}

/** A header's value as text; Kafka's are bytes, and a name may come twice. */
export function textOf(value: KafkaHeaders[string]): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return textOf((value as readonly (string | Buffer)[])[0]);
}

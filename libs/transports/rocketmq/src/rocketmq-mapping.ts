import { createHash } from 'node:crypto';
import {
  ATTRIBUTE_NAMES,
  type Attributes,
  attributesOf,
  type Message,
  messageOf,
  type OutgoingMessage,
  TidingsError,
  type WireMessage,
} from '@tidings/core';

/** The prefix of CloudEvents' Java SDK for RocketMQ. */
const ATTRIBUTE = 'CE_';
const CONTENT_TYPE = `${ATTRIBUTE}datacontenttype`;
const STRUCTURED = 'application/cloudevents+json';

/** Properties of ours that are no part of the message. */
export const OWN_PROPERTIES = {
  /** The one consumer group, by its native name, that is to handle it. */
  group: 'tidings-group',
  /** On a dead letter: why, percent-encoded. */
  reason: 'tidings-reason',
  /** On a dead letter: how often it was tried. */
  attempts: 'tidings-attempts',
} as const;

/** What the client sends: the part of its `MessageOptions` that is the message itself. */
export interface RocketMessage {
  readonly body: Buffer;
  readonly properties: ReadonlyMap<string, string>;
  readonly tag?: string;
  readonly keys: string[];
}

/** What the client received, and what the broker keeps. */
export interface RocketDelivery {
  readonly body: Buffer;
  readonly properties: ReadonlyMap<string, string>;
}

/** The proxy's limits are 16 KiB and 128 properties (`userPropertyMaxSize`, `userPropertyMaxNum`); the rest is left to our own. */
const MOST_BYTES = 14 * 1024;
const MOST_PROPERTIES = 120;

/** A name without a small letter could be the broker's (MessageConst), and it keeps no empty value and refuses control characters. */
const isPlainName = (name: string): boolean =>
  /^(?=.*[a-z])[\w.-]{1,128}$/.test(name) && !isOurs(name) && !name.startsWith('__');
const isPlainValue = (value: string): boolean => /^[\x20-\x7e]+$/.test(value);
const isOurs = (name: string): boolean =>
  name.startsWith(ATTRIBUTE) || (Object.values(OWN_PROPERTIES) as string[]).includes(name);

/**
 * Attributes and headers as properties and the payload as the body, which any consumer can read and filter. What cannot travel so, an empty payload (RocketMQ
 * takes no empty body), text beyond ASCII, or too much of it, travels in CloudEvents' structured mode: all of it as JSON in the body.
 */
export function toRocket(outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>): RocketMessage {
  const { message } = outgoing;
  const attributes = attributesOf(outgoing);
  const binary = binaryOf(message, attributes);
  const { body, properties } = binary ?? structuredOf(message, attributes);
  return {
    body,
    properties,
    ...(isTag(message.type) && { tag: message.type }),
    keys: /^[\x21-\x7e]{1,64}$/.test(message.id) ? [message.id] : [],
  };
}

export const isTag = (type: string): boolean => /^[\x21-\x7b\x7d\x7e]{1,120}$/.test(type);

function binaryOf({ headers, payload }: Message, attributes: Attributes): RocketDelivery | undefined {
  if (payload.byteLength === 0 || attributes['datacontenttype']?.startsWith('application/cloudevents'))
    return undefined;
  const properties = new Map<string, string>();
  let bytes = 0;
  const add = (name: string, value: string): boolean => {
    properties.set(name, value);
    bytes += name.length + value.length + 2;
    return isPlainValue(value) && bytes <= MOST_BYTES && properties.size <= MOST_PROPERTIES;
  };
  for (const [name, value] of Object.entries(attributes)) if (!add(ATTRIBUTE + name, value)) return undefined;
  for (const [name, value] of Object.entries(headers)) if (!isPlainName(name) || !add(name, value)) return undefined;
  return { body: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength), properties };
}

/** Headers are no context attributes, so they travel as the text of one. */
function structuredOf({ headers, payload }: Message, attributes: Attributes): RocketDelivery {
  const event = {
    ...attributes,
    ...(Object.keys(headers).length > 0 && { tidingsheaders: JSON.stringify(headers) }),
    ...(payload.byteLength > 0 && { data_base64: Buffer.from(payload).toString('base64') }),
  };
  return { body: Buffer.from(JSON.stringify(event)), properties: new Map([[CONTENT_TYPE, STRUCTURED]]) };
}

/** @throws TidingsError `TIDINGS_WIRE` when there is no id, source or type to be had. */
export function fromRocket(delivery: RocketDelivery, topic: string): WireMessage {
  return delivery.properties.get(CONTENT_TYPE)?.startsWith('application/cloudevents')
    ? fromStructured(delivery, topic)
    : fromBinary(delivery, topic);
}

function fromBinary({ body, properties }: RocketDelivery, topic: string): WireMessage {
  const attributes: Record<string, string> = {};
  const headers: Record<string, string> = {};
  for (const [name, value] of properties) {
    const attribute = name.startsWith(ATTRIBUTE) ? name.slice(ATTRIBUTE.length) : undefined;
    if (attribute === undefined) {
      if (isPlainName(name)) headers[name] = value;
    } else if (ATTRIBUTE_NAMES.has(attribute)) attributes[attribute] = value;
    else headers[attribute] ??= value; // a foreign extension, as traceparent, or one of a later minor version
  }
  return messageOf(attributes, Buffer.from(body), topic, headers);
}

function fromStructured({ body }: RocketDelivery, topic: string): WireMessage {
  const { data, data_base64: base64, tidingsheaders, ...event } = jsonOf(body, topic);
  const attributes: Record<string, string> = {};
  const headers: Record<string, string> =
    typeof tidingsheaders === 'string' ? (jsonOf(Buffer.from(tidingsheaders), topic) as Record<string, string>) : {};
  for (const [name, value] of Object.entries(event)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    if (ATTRIBUTE_NAMES.has(name)) attributes[name] = text;
    else headers[name] ??= text;
  }
  const payload =
    typeof base64 === 'string' ? Buffer.from(base64, 'base64') : bytesOf(data, attributes['datacontenttype']);
  return messageOf(attributes, payload, topic, headers);
}

/** Of a foreign sender, which may put JSON or text there. */
function bytesOf(data: unknown, contentType = 'application/json'): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof data === 'string' && !/[/+]json\b/.test(contentType) ? data : JSON.stringify(data));
}

function jsonOf(bytes: Buffer, topic: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as Record<string, unknown>;
  } catch {
    // told below
  }
  throw new TidingsError(
    'TIDINGS_WIRE',
    `a message on ${topic} says that it is ${STRUCTURED}, and its body is no JSON object`,
  );
}

/** RocketMQ keeps the order of a message group: up to 64 characters, no control character. Without a key each message is a group of its own. */
export function messageGroupOf({ key, id }: Pick<Message, 'key' | 'id'>): string {
  const text = key ?? id;
  if (/^[\x21-\x7e]{1,64}$/.test(text)) return text;
  return `sha256-${createHash('sha256').update(text).digest('hex').slice(0, 48)}`;
}

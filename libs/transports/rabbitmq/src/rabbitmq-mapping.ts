import {
  ATTRIBUTE_NAMES,
  type Attributes,
  attributesOf,
  HEADERS,
  messageOf,
  type OutgoingMessage,
  partsOfEvent,
  STRUCTURED_EVENT,
  TidingsError,
  timestampOf,
  type WireMessage,
} from '@tidings/core';
import type { Message as AmqpMessage, MessageProperties, Options } from 'amqplib';

/** The CloudEvents AMQP binding's prefix; its newer spelling with `_` is read too. */
const ATTRIBUTE = 'cloudEvents:';
const ATTRIBUTE_READ = /^cloudEvents[:_]/;

/** Headers of ours between one publish and the broker, or on a dead letter; a message's own may not have these names. */
export const OWN_HEADERS = {
  /** What N−1 told returned messages by. No longer written. */
  publish: 'tidings-publish',
  /** All attributes that have no property, as one JSON object. */
  packed: 'tidings',
  /** On a dead letter: why. */
  reason: 'tidings-reason',
  /** On a dead letter: how often it was tried. */
  attempts: 'tidings-attempts',
} as const;

/**
 * What the broker adds on its way. `x-death` must not go into a copy: the broker drops a message that, by its own account there, came round in a
 * circle ("Dead Letter Exchanges").
 */
const BROKERS = /^(x-death|x-(first|last)-death-.*|x-delivery-count|x-received-from|CC|BCC)$/;
const isReserved = (name: string): boolean =>
  ATTRIBUTE_READ.test(name) || BROKERS.test(name) || (Object.values(OWN_HEADERS) as string[]).includes(name);

/** A UTF-16 unit is at most three bytes of UTF-8. */
const fits = (text: string): boolean => text.length <= 85 || Buffer.byteLength(text) <= 255;

/**
 * `separate`: a header for each attribute, by the names of CloudEvents' AMQP binding. `packed`: what no property carries in one header, which takes
 * the broker about half the time; not by the CloudEvents binding, and readers of wire version 1 hold it back as newer.
 */
export type AttributeForm = 'separate' | 'packed';

/** Tells older readers, which do not know `packed`, to hold the message back; new ones read what is inside. */
const PACKED_WIRE = '2';

/** The pseudo-queue of a requester ("Direct Reply-to"). In a request on its way the broker puts the true address in its place. */
export const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to';

export interface AmqpPublish {
  readonly content: Buffer;
  readonly options: Omit<Options.Publish, 'headers'> & { readonly headers: Record<string, unknown> };
}

/** @throws TidingsError `TIDINGS_WIRE` for a header that has a name of the wire's. */
export function toAmqp(
  outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>,
  form: AttributeForm = 'separate',
): AmqpPublish {
  const { message } = outgoing;
  const headers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (name === HEADERS.replyTo) continue;
    if (isReserved(name) || !fits(name)) {
      throw new TidingsError(
        'TIDINGS_WIRE',
        `message ${message.id}: header ${name} cannot be sent by RabbitMQ: the name is the wire's own, or longer than 255 bytes`,
      );
    }
    headers[name] = value;
  }
  const attributes = attributesOf(outgoing);
  if (form === 'packed') {
    headers[`${ATTRIBUTE}tidings`] = PACKED_WIRE;
    headers[OWN_HEADERS.packed] = packedOf(attributes);
  } else {
    for (const name in attributes) {
      if (name !== 'datacontenttype' || !fits(message.contentType)) headers[ATTRIBUTE + name] = attributes[name];
    }
  }
  const seconds = Math.floor(Date.parse(message.time) / 1_000);
  const { payload } = message;
  return {
    content: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    options: {
      headers,
      persistent: true,
      ...(fits(message.contentType) && { contentType: message.contentType }),
      // Where attributes are separate: for people and foreign consumers, ours read the headers. AMQP's short strings end at 255 bytes.
      ...(fits(message.id) && { messageId: message.id }),
      ...(fits(message.type) && { type: message.type }),
      ...(fits(message.source) && { appId: message.source }),
      ...(seconds >= 0 && { timestamp: seconds }),
      ...urgencyOf(message.headers),
      ...conversationOf(message.headers),
    },
  };
}

/**
 * Address and id of a request, so that any AMQP responder can answer it. Of its own pseudo-queue the broker takes the bare name only on the channel that
 * consumes it, and closes any other.
 */
function conversationOf(headers: Readonly<Record<string, string>>): Pick<Options.Publish, 'replyTo' | 'correlationId'> {
  const { [HEADERS.replyTo]: to, [HEADERS.requestId]: id } = headers;
  return {
    ...(to !== undefined && to !== DIRECT_REPLY_TO && fits(to) && { replyTo: to }),
    ...(id !== undefined && fits(id) && { correlationId: id }),
  };
}

/** From the headers that `ttlMs` and `priority` of a publish leave; a foreign sender's nonsense there is no reason to refuse its message. */
function urgencyOf(headers: Readonly<Record<string, string>>): Pick<Options.Publish, 'expiration' | 'priority'> {
  const number = (name: string, to: number): number | undefined => {
    const text = headers[name];
    const value = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
    return value !== undefined && value <= to ? value : undefined;
  };
  const [ttlMs, priority] = [number(HEADERS.ttlMs, 2 ** 32 - 1), number(HEADERS.priority, 255)];
  return { ...(ttlMs !== undefined && { expiration: String(ttlMs) }), ...(priority !== undefined && { priority }) };
}

/** Of a dead letter, which is not to vanish, and of a delayed message, whose time would pass in the delay queue and end its delay. */
export function withoutExpiry({ content, options: { expiration: _, ...options } }: AmqpPublish): AmqpPublish {
  return { content, options };
}

/** The names of the properties are ours to read back by `propertiesAsAttributes`; an empty text is no property there. */
function packedOf({ specversion, id, source, type, datacontenttype, ...rest }: Attributes): string {
  const carried = (name: string, value: string | undefined) =>
    value !== undefined && (value === '' || !fits(value)) ? { [name]: value } : {};
  return JSON.stringify({
    ...rest,
    ...carried('id', id),
    ...carried('source', source),
    ...carried('type', type),
    ...carried('datacontenttype', datacontenttype),
  });
}

/** Undefined when it is none of ours: a foreign sender may have a header of that name. */
function unpacked(value: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const read: unknown = JSON.parse(value);
    return typeof read === 'object' && read !== null && 'tidings' in read
      ? (read as Record<string, string>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What tells a message from others where there are properties and headers only. */
export const identityOf = ({ messageId, headers }: { messageId?: unknown; headers?: object | undefined }): string => {
  const { [`${ATTRIBUTE}id`]: id, [OWN_HEADERS.packed]: packed } = (headers ?? {}) as Record<string, unknown>;
  return textOf(messageId ?? id ?? packed);
};

/**
 * The message in a delivery, in either mode of CloudEvents. Of a foreign one, properties fill in for attributes: messageId, type, appId, timestamp.
 *
 * @throws TidingsError `TIDINGS_WIRE` when there is no id, source or type to be had.
 */
export function fromAmqp(
  { content, properties }: Pick<AmqpMessage, 'content' | 'properties'>,
  topic: string,
): WireMessage {
  const event = isStructured(properties) ? partsOfEvent(content, topic) : undefined;
  const attributes: Record<string, string> = event?.attributes ?? propertiesAsAttributes(properties);
  const headers: Record<string, string> = {};
  const packed = unpacked(properties.headers?.[OWN_HEADERS.packed]);
  for (const [name, value] of Object.entries(properties.headers ?? {})) {
    const attribute = ATTRIBUTE_READ.test(name) ? name.slice(ATTRIBUTE.length) : undefined;
    if (attribute === undefined) {
      if (!isReserved(name)) headers[name] = textOf(value);
    } else if (ATTRIBUTE_NAMES.has(attribute)) {
      attributes[attribute] = textOf(value);
    } else if (!isReserved(attribute)) {
      headers[attribute] ??= textOf(value); // a foreign extension, as traceparent
    }
  }
  for (const [name, value] of Object.entries(packed ?? {})) {
    if (ATTRIBUTE_NAMES.has(name)) attributes[name] = textOf(value);
    else if (!isReserved(name)) headers[name] ??= textOf(value); // of a later minor version
  }
  Object.assign(headers, event?.headers);
  if (typeof properties.replyTo === 'string' && properties.replyTo !== '') {
    headers[HEADERS.replyTo] = properties.replyTo;
    if (typeof properties.correlationId === 'string') headers[HEADERS.requestId] ??= properties.correlationId;
  }
  // A request's id is there too: it is no conversation's.
  if (headers[HEADERS.requestId] === undefined && typeof properties.correlationId === 'string')
    headers[HEADERS.correlationId] ??= properties.correlationId;
  return messageOf(attributes, event?.payload ?? content, topic, headers);
}

/** Of a foreign sender. A message of ours may have a CloudEvent for its payload: it has attributes beside. */
const isStructured = ({ contentType, headers }: MessageProperties): boolean =>
  String(contentType).startsWith(STRUCTURED_EVENT) &&
  !Object.keys(headers ?? {}).some((name) => ATTRIBUTE_READ.test(name));

/**
 * For forwarding a message that could not be read. Not `userId` and `replyTo`: the broker compares both with the connection that publishes, and
 * closes its channel where they do not fit.
 */
export function asItCame({ content, properties }: Pick<AmqpMessage, 'content' | 'properties'>): AmqpPublish {
  const { contentType, contentEncoding, correlationId, messageId, timestamp, type, appId, priority } =
    properties as Options.Publish;
  const headers = Object.entries(properties.headers ?? {}).filter(([name]) => !BROKERS.test(name));
  const kept = { contentType, contentEncoding, correlationId, messageId, timestamp, type, appId, priority };
  const set = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  return { content, options: { ...set, persistent: true, headers: Object.fromEntries(headers) } };
}

function propertiesAsAttributes({
  messageId,
  type,
  appId,
  timestamp,
  contentType,
}: MessageProperties): Record<string, string> {
  const text = (name: string, value: unknown) => (typeof value === 'string' && value !== '' ? { [name]: value } : {});
  return {
    ...text('id', messageId),
    ...text('type', type),
    ...text('source', appId),
    ...text('datacontenttype', contentType),
    ...(typeof timestamp === 'number' && { time: instant(timestamp) }),
  };
}

/** AMQP counts seconds; some senders put milliseconds there, and anything fits the 64 bits. */
const instant = (seconds: number): string => {
  const millis = seconds < 1e11 ? seconds * 1_000 : seconds;
  return millis <= 8.64e15 ? timestampOf(millis) : '';
};

/** A header's value as text. Foreign ones have types: bytes, numbers, tables, lists, and amqplib's `{ '!': type, value }`. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  const plain = plainOf(value);
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}

function plainOf(value: unknown): unknown {
  if (Buffer.isBuffer(value)) {
    const text = value.toString('utf8');
    return Buffer.from(text, 'utf8').equals(value) ? text : value.toString('base64');
  }
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null) return value;
  if ('!' in value && 'value' in value) {
    if (value['!'] === 'timestamp' && typeof value.value === 'number') return instant(value.value);
    if (value['!'] === 'decimal') {
      const { places, digits } = value.value as { places: number; digits: number };
      return (digits / 10 ** places).toFixed(places);
    }
    return plainOf(value.value);
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plainOf(member)]));
}

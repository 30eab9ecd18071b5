import {
  ATTRIBUTE_NAMES,
  attributesOf,
  HEADERS,
  messageOf,
  type OutgoingMessage,
  TidingsError,
  type WireMessage,
} from '@tidings/core';
import type { IPublishPacket } from 'mqtt';
import type { MqttSettings } from './mqtt.options';

export type MqttProperties = NonNullable<IPublishPacket['properties']>;

export interface MqttPublish {
  readonly payload: Buffer;
  /** MQTT 5.0 only. */
  readonly properties?: MqttProperties;
}

/** The media type of a structured CloudEvent (CloudEvents JSON format, 1.0). */
const STRUCTURED = 'application/cloudevents+json';
/** The member of a structured message that has the headers, as the text of a JSON object: CloudEvents attributes have no objects. */
const HEADERS_MEMBER = 'headers';
const LONGEST = 65_535;

/**
 * What MQTT takes in no text (MQTT 5.0, 1.5.4): control characters and non-characters, for which a broker may close the connection, as Mosquitto does.
 * Such a name or value is percent-encoded, under the name with `*` behind it, as RFC 8187 does with HTTP's.
 */
// eslint-disable-next-line no-control-regex -- it is about them
const REFUSED = /[\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef]|[\ufffe\uffff]|\p{Surrogate}/u;

const isTopicName = (name: string): boolean => name !== '' && !/[+#]/.test(name) && !REFUSED.test(name);

/** @throws TidingsError `TIDINGS_WIRE` for a header that has a name of the wire's, or a text that is longer than MQTT's strings. */
export function toMqtt(
  outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>,
  protocol: MqttSettings['protocol'],
): MqttPublish {
  return protocol === '5.0' ? toBinary(outgoing) : toStructured(outgoing);
}

/** CloudEvents' MQTT binding, binary mode. */
function toBinary(outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>): MqttPublish {
  const { message } = outgoing;
  const { datacontenttype, ...attributes } = attributesOf(outgoing);
  const { [HEADERS.replyTo]: replyTo, ...headers } = message.headers;
  const userProperties: Record<string, string> = {};
  const put = (name: string, value: string): void => {
    const plain = !REFUSED.test(name) && !REFUSED.test(value) && !name.endsWith('*');
    const [key, text] = plain ? [name, value] : [`${encoded(name)}*`, encoded(value)];
    if (Buffer.byteLength(key) > LONGEST || Buffer.byteLength(text) > LONGEST)
      throw unsendable(message.id, name, `it is longer than ${LONGEST} bytes`);
    userProperties[key] = text;
  };
  for (const [name, value] of Object.entries(attributes)) put(name, value);
  for (const [name, value] of Object.entries(headers)) {
    if (ATTRIBUTE_NAMES.has(name)) throw unsendable(message.id, name, "the name is CloudEvents' or the wire's own");
    put(name, value);
  }
  const inProperty = datacontenttype !== undefined && !REFUSED.test(datacontenttype);
  if (!inProperty) put('datacontenttype', datacontenttype ?? '');
  const requestId = headers[HEADERS.requestId];
  return {
    payload: bytesOf(message.payload),
    properties: {
      ...(inProperty && { contentType: datacontenttype }),
      userProperties,
      ...expiryOf(headers),
      ...(replyTo !== undefined && isTopicName(replyTo) && { responseTopic: replyTo }),
      ...(requestId !== undefined && { correlationData: Buffer.from(requestId, 'utf8') }),
    },
  };
}

/** CloudEvents' JSON format. The payload always as base64: its bytes must arrive as they were. */
function toStructured(outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>): MqttPublish {
  const { headers, payload } = outgoing.message;
  const event = {
    ...attributesOf(outgoing),
    ...(Object.keys(headers).length > 0 && { [HEADERS_MEMBER]: JSON.stringify(headers) }),
    data_base64: bytesOf(payload).toString('base64'),
  };
  return { payload: Buffer.from(JSON.stringify(event), 'utf8') };
}

/**
 * The message in a delivery, of either form: without properties it can only be structured.
 *
 * @throws TidingsError `TIDINGS_WIRE` when there is no id, source or type to be had.
 */
export function fromMqtt(
  { payload, properties }: Pick<IPublishPacket, 'payload' | 'properties'>,
  topic: string,
): WireMessage {
  const content = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  const contentType = properties?.contentType;
  const read = userPropertiesOf(properties?.userProperties);
  const { [HEADERS.replyTo]: _, ...headers } = Object.fromEntries(read.filter(([name]) => !ATTRIBUTE_NAMES.has(name)));
  const attributes = Object.fromEntries(read.filter(([name]) => ATTRIBUTE_NAMES.has(name)));
  if (contentType?.startsWith(STRUCTURED) || attributes['specversion'] === undefined)
    return fromStructured(content, topic);
  const correlation = properties?.correlationData?.toString('utf8');
  const conversation = {
    ...(properties?.responseTopic !== undefined && { [HEADERS.replyTo]: properties.responseTopic }),
    ...(correlation !== undefined && { [HEADERS.requestId]: correlation }),
  };
  return messageOf(
    { ...(contentType !== undefined && { datacontenttype: contentType }), ...attributes },
    content,
    topic,
    { ...conversation, ...headers },
  );
}

function fromStructured(content: Buffer, topic: string): WireMessage {
  let event: unknown;
  try {
    event = JSON.parse(content.toString('utf8'));
  } catch (cause) {
    throw new TidingsError('TIDINGS_WIRE', `a message on ${topic} is no CloudEvent: expected JSON`, { cause });
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    throw new TidingsError('TIDINGS_WIRE', `a message on ${topic} is no CloudEvent: expected a JSON object`);
  const { data, data_base64: base64, [HEADERS_MEMBER]: packed, ...members } = event as Record<string, unknown>;
  const entries = Object.entries(members).map(([name, value]) => [name, textOf(value)] as const);
  const attributes = Object.fromEntries(entries.filter(([name]) => ATTRIBUTE_NAMES.has(name)));
  const foreign = Object.fromEntries(entries.filter(([name]) => !ATTRIBUTE_NAMES.has(name))); // extensions, as traceparent
  const payload = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : dataOf(data, attributes);
  return messageOf(attributes, payload, topic, { ...foreign, ...headersOf(packed) });
}

/** Of a foreign sender. Where the content is JSON, `data` is its value; else a text is the text. */
function dataOf(data: unknown, { datacontenttype = 'application/json' }: Readonly<Record<string, string>>): Buffer {
  if (data === undefined) return Buffer.alloc(0);
  const isText = typeof data === 'string' && !/[/+]json\b/.test(datacontenttype);
  return Buffer.from(isText ? data : JSON.stringify(data), 'utf8');
}

/** Anything but ours, a foreign extension of this name, is one header. */
function headersOf(packed: unknown): Record<string, string> {
  if (packed === undefined) return {};
  try {
    const read: unknown = JSON.parse(textOf(packed));
    if (typeof read === 'object' && read !== null && !Array.isArray(read))
      return Object.fromEntries(Object.entries(read).map(([name, value]) => [name, textOf(value)]));
  } catch {
    // no JSON: below
  }
  return { [HEADERS_MEMBER]: textOf(packed) };
}

function userPropertiesOf(found: MqttProperties['userProperties']): (readonly [string, string])[] {
  return Object.entries(found ?? {}).map(([name, value]) => {
    const text = Array.isArray(value) ? value.join(', ') : value;
    if (!name.endsWith('*')) return [name, text] as const;
    try {
      return [decodeURIComponent(name.slice(0, -1)), decodeURIComponent(text)] as const;
    } catch {
      return [name, text] as const; // a foreign sender's name
    }
  });
}

const bytesOf = (payload: Uint8Array): Buffer => Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
/** Half a pair of surrogates is no Unicode text and has no UTF-8. */
const encoded = (text: string): string => encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));

const unsendable = (id: string, name: string, why: string): TidingsError =>
  new TidingsError('TIDINGS_WIRE', `message ${id}: header or attribute ${name} cannot be sent by MQTT: ${why}`);

/** From the header that `ttlMs` of a publish leaves, in whole seconds; a foreign sender's nonsense there is no reason to refuse its message. */
function expiryOf(headers: Readonly<Record<string, string>>): Pick<MqttProperties, 'messageExpiryInterval'> {
  const text = headers[HEADERS.ttlMs];
  if (text === undefined || !/^\d{1,12}$/.test(text)) return {};
  const seconds = Math.ceil(Number(text) / 1_000);
  return seconds < 2 ** 32 ? { messageExpiryInterval: seconds } : {};
}

import {
  ATTRIBUTE_NAMES,
  attributesOf,
  fromStructuredEvent,
  HEADERS,
  messageOf,
  type OutgoingMessage,
  STRUCTURED_EVENT,
  TidingsError,
  toStructuredEvent,
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
  return protocol === '5.0' ? toBinary(outgoing) : { payload: Buffer.from(toStructuredEvent(outgoing), 'utf8') };
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
  if (contentType?.startsWith(STRUCTURED_EVENT) || attributes['specversion'] === undefined)
    return fromStructuredEvent(content, topic);
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

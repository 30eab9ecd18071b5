import { TidingsError } from '../errors';
import { ATTRIBUTE_NAMES, attributesOf, messageOf, type WireMessage } from './attributes';
import type { OutgoingMessage } from './message';

/** The media type of a structured CloudEvent (CloudEvents JSON format, 1.0). */
export const STRUCTURED_EVENT = 'application/cloudevents+json';
export interface EventParts {
  readonly attributes: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly payload: Uint8Array;
}

/** The member that has the headers, as the text of a JSON object: CloudEvents attributes have no objects. */
const HEADERS_MEMBER = 'headers';

/**
 * A message as one structured CloudEvent, JSON: for what carries bytes and no properties. The payload always as base64: its bytes must arrive as they were.
 * `marks` are members beside the attributes.
 */
export function toStructuredEvent(
  outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>,
  marks: Readonly<Record<string, string>> = {},
): string {
  const { headers, payload } = outgoing.message;
  return JSON.stringify({
    ...attributesOf(outgoing),
    ...marks,
    ...(Object.keys(headers).length > 0 && { [HEADERS_MEMBER]: JSON.stringify(headers) }),
    data_base64: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('base64'),
  });
}

/**
 * The message in a structured CloudEvent, also a foreign one's. Members that are no attributes become headers.
 *
 * @throws TidingsError `TIDINGS_WIRE` when it is no JSON object, or there is no id, source or type to be had.
 */
export function fromStructuredEvent(content: Uint8Array, topic: string): WireMessage {
  const { attributes, headers, payload } = partsOfEvent(content, topic);
  return messageOf(attributes, payload, topic, headers);
}

/** For mappings that know more of a message than its event tells. @throws TidingsError `TIDINGS_WIRE` when it is no JSON object. */
export function partsOfEvent(content: Uint8Array, topic: string): EventParts {
  const { data, data_base64: base64, [HEADERS_MEMBER]: packed, ...members } = eventOf(content, topic);
  const entries = Object.entries(members).map(([name, value]) => [name, textOf(value)] as const);
  const attributes = Object.fromEntries(entries.filter(([name]) => ATTRIBUTE_NAMES.has(name)));
  const foreign = Object.fromEntries(entries.filter(([name]) => !ATTRIBUTE_NAMES.has(name))); // extensions, as traceparent
  const payload = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : dataOf(data, attributes);
  return { attributes, headers: { ...foreign, ...headersOf(packed) }, payload };
}

function eventOf(content: Uint8Array, topic: string): Record<string, unknown> {
  let event: unknown;
  try {
    event = JSON.parse(Buffer.from(content).toString('utf8'));
  } catch (cause) {
    throw new TidingsError('TIDINGS_WIRE', `a message on ${topic} is no CloudEvent: expected JSON`, { cause });
  }
  if (typeof event === 'object' && event !== null && !Array.isArray(event)) return event as Record<string, unknown>;
  throw new TidingsError('TIDINGS_WIRE', `a message on ${topic} is no CloudEvent: expected a JSON object`);
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

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

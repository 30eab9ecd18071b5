import {
  ATTRIBUTE_NAMES,
  attributesOf,
  messageOf,
  type OutgoingMessage,
  TidingsError,
  type WireMessage,
} from '@tidings/core';

/** Names and values in turn, as XADD takes and XRANGE gives them. */
export type Fields = readonly (string | Buffer)[];

/** Fields beside the attributes. */
export const FIELDS = {
  /** The payload's bytes. */
  data: 'data',
  /** The message's headers, one JSON object; none, no field. */
  headers: 'headers',
  /** How many processes died with it; written by reclaim. */
  deaths: 'deaths',
  /** On a dead letter: why, and how often it was tried. */
  reason: 'tidings-reason',
  attempts: 'tidings-attempts',
} as const;

const OWN: readonly string[] = Object.values(FIELDS);

/** A message as the fields of a stream's entry: attributes by their names, headers as one JSON object, payload as bytes. */
export function toFields(outgoing: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>): Fields {
  const { headers, payload } = outgoing.message;
  const fields: (string | Buffer)[] = Object.entries(attributesOf(outgoing)).flat();
  if (Object.keys(headers).length > 0) fields.push(FIELDS.headers, JSON.stringify(headers));
  fields.push(FIELDS.data, Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  return fields;
}

export interface EntryMessage extends WireMessage {
  readonly deaths: number;
  /** Of a dead letter. */
  readonly reason: string;
  readonly buriedAttempts: number | undefined;
}

/**
 * The message in an entry. Fields that are nobody's become headers: a foreign extension, or an attribute of a later minor version.
 *
 * @throws TidingsError `TIDINGS_WIRE` when there is no id, source or type to be had, or the headers are no JSON object of texts.
 */
export function fromFields(fields: readonly Buffer[], topic: string): EntryMessage {
  const attributes: Record<string, string> = {};
  const own: Record<string, string> = {};
  const headers: Record<string, string> = {};
  let payload: Uint8Array = Buffer.alloc(0);
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at]!.toString('utf8');
    const value = fields[at + 1]!;
    if (name === FIELDS.data) payload = value;
    else if (ATTRIBUTE_NAMES.has(name)) attributes[name] = value.toString('utf8');
    else if (OWN.includes(name)) own[name] = value.toString('utf8');
    else headers[name] = value.toString('utf8');
  }
  const packed = own[FIELDS.headers];
  if (packed !== undefined) Object.assign(headers, headersOf(packed, topic));
  const buried = own[FIELDS.attempts];
  return {
    ...messageOf(attributes, payload, topic, headers),
    deaths: Number(own[FIELDS.deaths] ?? 0),
    reason: own[FIELDS.reason] ?? '',
    buriedAttempts: buried === undefined ? undefined : Number(buried),
  };
}

function headersOf(text: string, topic: string): Record<string, string> {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read === 'object' && read !== null && !Array.isArray(read))
      return Object.fromEntries(
        Object.entries(read).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
      );
  } catch {
    // told below
  }
  throw new TidingsError('TIDINGS_WIRE', `a message on ${topic}: field headers must be a JSON object, found ${text.slice(0, 100)}`); // prettier-ignore
}

/** The fields of an entry with one of them set. */
export function withField(fields: Fields, name: string, value: string): Fields {
  const result = [...fields];
  for (let at = 0; at + 1 < result.length; at += 2)
    if (result[at]!.toString() === name) {
      result[at + 1] = value;
      return result;
    }
  return [...result, name, value];
}

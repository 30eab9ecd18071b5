import { NewerWireError, TidingsError } from '../errors';
import type { Message, OutgoingMessage, Stamp } from './message';

/**
 * The CloudEvents 1.0 attributes of a message, as text: what every binary binding writes as headers and every structured one as members
 * (docs/wire-format.md). Names are CloudEvents' own and its extensions (partitioning, sequence, distributed tracing) where they exist; extension
 * names are lower-case letters and digits only, as the specification asks.
 */
export type Attributes = Readonly<Record<string, string>>;

/** A message as it came off the wire, with what the wire knows beside it. */
export interface WireMessage {
  readonly message: Message;
  readonly stamp?: Stamp;
  /** Attempts that the group already made, 0 for a first delivery. */
  readonly attempts: number;
  /**
   * The sender writes a newer wire version. What is here then is CloudEvents' own part, enough to hold the message back in its key's place; whoever
   * has it may neither handle it nor write it anew, which would lose what only the newer version says: it goes on as it came.
   */
  readonly newer?: NewerWireError;
}

/** Raised only when an old reader would misread a message. An attribute that it may ignore is added without raising it. */
export const WIRE_VERSION = 1;

/** `parseInt` alone would read '12 gifts' as 12. */
const DECIMAL = /^\d+$/;
const HEXADECIMAL = /^[\da-f]+$/i;

export function attributesOf({
  message,
  stamp,
  attempts = 0,
}: Pick<OutgoingMessage, 'message' | 'stamp' | 'attempts'>): Attributes {
  return {
    specversion: '1.0',
    id: message.id,
    source: message.source,
    type: message.type,
    time: message.time,
    datacontenttype: message.contentType,
    tidings: String(WIRE_VERSION),
    typeversion: String(message.version),
    ...(message.key !== null && { partitionkey: message.key }),
    ...(message.bucket !== null && { bucket: message.bucket }),
    ...(message.generation > 0 && { generation: String(message.generation) }),
    ...(message.crc32c !== null && { crc32c: message.crc32c.toString(16).padStart(8, '0') }),
    ...(attempts > 0 && { attempts: String(attempts) }),
    ...(stamp && {
      sequence: String(stamp.sequence),
      epoch: String(stamp.epoch),
      epochstart: String(stamp.epochStart),
    }),
  };
}

/** Attribute names that `attributesOf` may write; what else a binding finds under its attribute prefix is a foreign extension. */
export const ATTRIBUTE_NAMES: ReadonlySet<string> = new Set(
  'specversion id source type time datacontenttype tidings typeversion partitionkey bucket generation crc32c attempts sequence epoch epochstart'.split(
    ' ',
  ),
);

/**
 * The message that attributes and bytes describe. Lenient where a foreign sender leaves things out, strict where guessing would cost money.
 *
 * @throws TidingsError `TIDINGS_WIRE` when id, source or type is missing, or a number is none. A newer wire version is no error but `newer`.
 */
export function messageOf(
  attributes: Readonly<Record<string, string | undefined>>,
  payload: Uint8Array,
  topic: string,
  headers: Readonly<Record<string, string>>,
): WireMessage {
  const required = (name: string): string => {
    const value = attributes[name];
    if (value) return value;
    throw new TidingsError(
      'TIDINGS_WIRE',
      `a message on ${topic} has no attribute ${name}; a CloudEvent needs id, source and type`,
    );
  };
  let newer: NewerWireError | undefined;
  const number = (name: string, fallback: number, radix = 10): number => {
    const text = attributes[name];
    if (text === undefined) return fallback;
    const value = (radix === 16 ? HEXADECIMAL : DECIMAL).test(text) ? Number.parseInt(text, radix) : NaN;
    if (Number.isSafeInteger(value)) return value;
    if (newer) return fallback; // a newer version may write it otherwise
    throw new TidingsError(
      'TIDINGS_WIRE',
      `a message on ${topic}: attribute ${name} must be a whole number, found ${JSON.stringify(text)}`,
    );
  };
  const wire = number('tidings', WIRE_VERSION); // a foreign sender has none
  if (wire > WIRE_VERSION) newer = new NewerWireError(required('id'), topic, wire, WIRE_VERSION);
  const message: Message = {
    id: required('id'),
    source: required('source'),
    type: required('type'),
    version: number('typeversion', 1),
    topic,
    key: attributes['partitionkey'] ?? null,
    time: attributes['time'] ?? '',
    contentType: attributes['datacontenttype'] ?? 'application/json',
    payload,
    bucket: attributes['bucket'] ?? null,
    generation: number('generation', 0),
    crc32c: attributes['crc32c'] === undefined ? null : number('crc32c', 0, 16),
    headers: Object.freeze(headers),
  };
  const stamped = attributes['sequence'] !== undefined && attributes['epoch'] !== undefined;
  return {
    message,
    attempts: number('attempts', 0),
    ...(newer && { newer }),
    ...(stamped && {
      stamp: { sequence: number('sequence', 0), epoch: number('epoch', 0), epochStart: number('epochstart', 0) },
    }),
  };
}

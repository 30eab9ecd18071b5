import type { Message, OutgoingMessage, Stamp } from '@tidings/core';
import { digestOf, originOf, storable } from './parked-identity';

/** A message as it waits: whole, so that it goes on as it came. */
export interface ParkedMessage {
  readonly message: Message;
  /** Inbound: of the delivery. Outbound: of the relay. */
  readonly stamp?: Stamp;
  /** Outbound: the only group that is to receive it. */
  readonly group?: string;
  readonly route?: OutgoingMessage['route'];
}

type Passage = Omit<ParkedMessage, 'message'>;

const bytesOf = (value: object): Buffer => Buffer.from(JSON.stringify(value), 'utf8');
const read = <T>(bytes: Buffer): T => JSON.parse(bytes.toString('utf8')) as T;

/** The parameters that the functions take a message by: digest, origin, generation, id, envelope, payload, passage. */
export function columnsOf({ message, ...passage }: ParkedMessage): readonly unknown[] {
  const { payload, ...envelope } = message;
  return [
    digestOf(message),
    originOf(message),
    message.generation,
    storable(message.id),
    bytesOf(envelope),
    Buffer.from(payload),
    bytesOf(passage),
  ];
}

export interface ParkedRow {
  readonly envelope: Buffer;
  readonly payload: Buffer;
  readonly passage: Buffer;
}

export function parkedMessageOf({ envelope, payload, passage }: ParkedRow): ParkedMessage {
  const { headers, ...fields } = read<Omit<Message, 'payload'>>(envelope);
  return { ...read<Passage>(passage), message: { ...fields, headers: Object.freeze(headers), payload } };
}

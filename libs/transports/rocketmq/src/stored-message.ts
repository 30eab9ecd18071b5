import type { RocketDelivery } from './rocketmq-mapping';

/** A message as a broker stores it. */
export interface StoredMessage extends RocketDelivery {
  readonly storedAt: number;
  /** How often the broker delivered it before it put it here. */
  readonly reconsumed: number;
}

/** MessageDecoder's second form, with two bytes for the length of the topic. */
const MAGIC_V2 = 0xda_a3_20_a7 + 4;
const V6 = { born: 0x10, store: 0x20 } as const;
const [NAME_ENDS, PROPERTY_ENDS] = ['\u0001', '\u0002'];

/** What a pull brings: messages one after the other in the commit log's form (apache/rocketmq, MessageDecoder). */
export function storedMessages(bytes: Buffer): StoredMessage[] {
  const messages: StoredMessage[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += bytes.readInt32BE(at)) messages.push(storedMessage(bytes, at));
  return messages;
}

function storedMessage(bytes: Buffer, start: number): StoredMessage {
  let at = start + 4;
  const int = (): number => bytes.readInt32BE((at += 4) - 4);
  const long = (): number => Number(bytes.readBigInt64BE((at += 8) - 8));
  const magic = int() >>> 0;
  at += 12; // checksum, queue, flag
  at += 16; // offsets
  const systemFlag = int();
  at += 8 + (systemFlag & V6.born ? 20 : 8); // born when and where
  const storedAt = long();
  at += systemFlag & V6.store ? 20 : 8;
  const reconsumed = int();
  at += 8; // prepared transaction
  const body = Buffer.from(bytes.subarray(at + 4, at + 4 + int()));
  at += body.length;
  at += magic === MAGIC_V2 ? 2 + bytes.readUInt16BE(at) : 1 + bytes.readUInt8(at);
  const length = bytes.readUInt16BE(at);
  return { body, properties: propertiesOf(bytes.toString('utf8', at + 2, at + 2 + length)), storedAt, reconsumed };
}

function propertiesOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(PROPERTY_ENDS).map((pair) => pair.split(NAME_ENDS));
  return new Map(pairs.flatMap(([name, value]) => (name && value !== undefined ? [[name, value] as const] : [])));
}

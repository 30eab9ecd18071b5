/** Turns payloads into bytes and back. Must be deterministic enough that `decode(encode(x))` equals `x`. */
export interface Codec {
  readonly contentType: string;
  /** Throws what the format throws; the caller names the message. */
  encode(payload: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

export const jsonCodec: Codec = {
  contentType: 'application/json',
  encode: (payload) => Buffer.from(JSON.stringify(payload), 'utf8'),
  decode: (bytes) =>
    JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as unknown,
};

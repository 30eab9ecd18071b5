/** Turns payloads into bytes and back. Must be deterministic enough that `decode(encode(x))` equals `x`. */
export interface Codec {
  readonly contentType: string;
  /** Throws what the format throws; the caller names the message. */
  encode(payload: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** Fatal: bytes that are no UTF-8 must not become other text than was sent. It drops a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

export const jsonCodec: Codec = {
  contentType: 'application/json',
  encode(payload) {
    const text = JSON.stringify(payload) as string | undefined;
    if (text === undefined) throw new TypeError(`${typeof payload} has no form in JSON`);
    return Buffer.from(text, 'utf8');
  },
  decode: (bytes) => JSON.parse(utf8.decode(bytes)) as unknown,
};

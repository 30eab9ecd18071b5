/** Virtual lanes, for ever: a key's lane is part of the wire contract and of every stored cursor. */
export const LANES = 64;

/**
 * FNV-1a, 32 bits, of the text's UTF-8 bytes (draft-eastlake-fnv; offset basis 2166136261, prime 16777619).
 * Chosen because every language has it in ten lines; docs/wire-format.md lists test vectors.
 */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The lane of a message: its key's, or its id's when it has no key. */
export const laneOf = (message: { readonly key: string | null; readonly id: string }): number =>
  fnv1a32(message.key ?? message.id) % LANES;

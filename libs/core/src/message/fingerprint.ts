import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json';
import { jsonCodec } from './codec';
import type { Message } from './message';

const isJson = (contentType: string): boolean => /^application\/(json|[^;]+\+json)\b/i.test(contentType);

/**
 * SHA-256 of the type and the content: of the canonical JSON (RFC 8785) where the payload is JSON, else of the raw bytes. Two messages with one
 * id and different fingerprints are a conflict; a sender that merely orders its members anew is not.
 */
export function fingerprintOf(message: Pick<Message, 'type' | 'contentType' | 'payload'>): Buffer {
  const content = canonicalContent(message);
  const hash = createHash('sha256');
  if (typeof content === 'string') hash.update(`${message.type}\0${content}`);
  else hash.update(message.type).update('\0').update(content);
  return hash.digest();
}

function canonicalContent({ contentType, payload }: Pick<Message, 'contentType' | 'payload'>): string | Uint8Array {
  if (!isJson(contentType)) return payload;
  try {
    return canonicalJson(jsonCodec.decode(payload));
  } catch {
    return payload; // not the JSON it claims to be: the bytes are its content, the contract's decode will say what is wrong
  }
}

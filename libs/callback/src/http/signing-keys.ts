import { OptionsError, parseOptions } from '@tidings/core';
import { z } from 'zod';

/** As long as the hash: a shorter secret makes the signature weaker than SHA-256 is (RFC 2104, section 3). */
const SECRET_BYTES = 32;
const KEY_ID = /^[\w.-]{1,64}$/;

const signingKeys = z.strictObject({
  secrets: z
    .record(
      z.string().regex(KEY_ID, { error: 'expected an id of letters, digits, ".", "_" and "-", at most 64' }),
      z.string({ error: 'expected a secret' }).refine((secret) => Buffer.byteLength(secret) >= SECRET_BYTES, {
        error: `expected a secret of ${SECRET_BYTES} bytes at least, found a shorter one; take 32 random bytes as base64`,
      }),
      { error: "expected secrets by their ids, as { '2026-11': … }" },
    )
    .refine((secrets) => Object.keys(secrets).length > 0, { error: 'expected at least one key, found none' }),
  signWith: z.string().optional(),
});

/** Secrets that two services share, by id. All are accepted, one signs: a new one is given to the receivers first, then it signs, then the old one goes. */
export interface SigningKeys {
  /** By id, which is sent along and is no secret. Each of 32 bytes at least. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The id of the key that signs. Default: the only one. */
  readonly signWith?: string;
}

/** Asked for each request when it is a function: keys are rotated without a restart. */
export type KeySource = SigningKeys | (() => SigningKeys | Promise<SigningKeys>);

/** @throws OptionsError that names the bad key, and never its secret. */
export function checkSigningKeys(subject: string, keys: SigningKeys): SigningKeys {
  return parseOptions(subject, signingKeys, keys) as SigningKeys;
}

/** The keys as they are now. A fixed set was checked when the application started. */
export async function readKeys(subject: string, source: KeySource): Promise<SigningKeys> {
  return typeof source === 'function' ? checkSigningKeys(subject, await source()) : source;
}

/** @throws OptionsError when it is not told which of several keys signs, or that one is not there. */
export function signingKeyOf(subject: string, { secrets, signWith }: SigningKeys): { id: string; secret: string } {
  const ids = Object.keys(secrets);
  const id = signWith ?? (ids.length === 1 ? ids[0] : undefined);
  if (id !== undefined && Object.hasOwn(secrets, id)) return { id, secret: secrets[id]! };
  throw new OptionsError(`${subject}.signWith`, `expected the id of the key that signs, one of ${ids.join(', ')}, found ${id ?? 'none'}`); // prettier-ignore
}

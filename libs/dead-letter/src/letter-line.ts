import { z } from 'zod';
import { LetterImportError } from './dead-letter.errors';
import type { StoredLetter } from './stored-letter';

const FORMAT = 'tidings/dead-letter/1';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const bytes = z
  .string({ error: 'expected base64' })
  .regex(BASE64, 'expected base64')
  .transform((text): Uint8Array => Buffer.from(text, 'base64'));
const headers = z.record(z.string(), z.string({ error: 'expected a text' }));
const instant = z.iso.datetime({ offset: true, error: 'expected an instant, as 2026-11-21T03:00:00.000Z' });
const count = z.int({ error: 'expected a whole number' }).min(0, 'expected a whole number from 0');

const lineSchema = z
  .strictObject({
    format: z.literal(FORMAT, { error: `expected "${FORMAT}"` }),
    identity: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
    status: z.enum(['dead', 'redriving', 'redriven', 'handled', 'discarded']),
    buriedAt: instant,
    settledAt: instant.nullable(),
    redrive: z.strictObject({ generation: count, bucket: z.string().nullable() }).nullable(),
    direction: z.enum(['inbound', 'outbound']),
    transport: z.string(),
    place: z.string(),
    group: z.string().optional(),
    handler: z.string().optional(),
    reason: z.string(),
    attempts: count,
    failures: z.array(
      z.strictObject({
        attempt: count,
        at: z.string(),
        instance: z.string(),
        errors: z.array(z.strictObject({ name: z.string(), message: z.string(), stack: z.string().optional() })),
      }),
    ),
    message: z.strictObject({
      id: z.string(),
      source: z.string(),
      type: z.string(),
      version: count,
      topic: z.string(),
      key: z.string().nullable(),
      time: z.string(),
      contentType: z.string(),
      payload: bytes,
      bucket: z.string().nullable(),
      generation: count,
      crc32c: count.nullable(),
      headers,
    }),
    editedPayload: bytes.nullable(),
    editedHeaders: headers.nullable(),
    audit: z.array(
      z.strictObject({
        at: instant,
        by: z.string(),
        action: z.enum(['edit', 'reopen', 'discard', 'import']),
        reason: z.string(),
        payload: bytes.nullable(),
        headers: headers.nullable(),
      }),
    ),
  })
  .transform(({ format: _format, ...letter }) => letter)
  .refine(({ status, redrive }) => status !== 'redriving' || redrive !== null, {
    path: ['redrive'],
    error: 'expected what is being redriven, found null',
  })
  .refine(({ status, settledAt }) => (status === 'dead' || status === 'redriving') === (settledAt === null), {
    path: ['settledAt'],
    error: 'expected an instant for a letter that is settled, null for one that waits',
  });

/** A letter as one line of JSON, its line break included. Its id and what can be computed stay out: another store has its own. */
export function lineOf({
  id: _id,
  failureFingerprint: _fingerprint,
  traceId: _traceId,
  ...letter
}: StoredLetter): string {
  const base64 = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString('base64');
  const line = {
    format: FORMAT,
    ...letter,
    message: { ...letter.message, payload: base64(letter.message.payload) },
    editedPayload: base64(letter.editedPayload),
    audit: letter.audit.map((entry) => ({ ...entry, payload: base64(entry.payload) })),
  };
  return `${JSON.stringify(line)}\n`;
}

export type LetterOfLine = Omit<StoredLetter, 'id' | 'failureFingerprint' | 'traceId'>;

/** @throws LetterImportError that names the line and the field. */
export function letterOfLine(text: string, line: number): LetterOfLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LetterImportError(line, 'line', `expected a JSON object, found ${String(cause)}`);
  }
  const result = lineSchema.safeParse(value);
  if (result.success) return result.data as LetterOfLine;
  const [issue] = result.error.issues;
  throw new LetterImportError(line, issue?.path.join('.') || 'line', issue?.message ?? 'is no letter');
}

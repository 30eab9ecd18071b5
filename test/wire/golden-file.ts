import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Forms of the golden messages in one binding, by message, as JSON has them: bytes are base64. */
export type GoldenForms = Readonly<Record<string, unknown>>;

const pathOf = (binding: string): string => join(__dirname, 'golden', `${binding}.json`);

/** What JSON makes of it: dates, bytes and absent members are the file's. */
export const asStored = (forms: GoldenForms): GoldenForms =>
  JSON.parse(
    JSON.stringify(forms, (_, value: unknown) =>
      isBuffer(value) ? { base64: Buffer.from(value.data).toString('base64') } : value,
    ),
  ) as GoldenForms;

/** A Buffer has told `toJSON` before a replacer sees it. */
const isBuffer = (value: unknown): value is { readonly data: number[] } =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;

export const bytesOf = (stored: unknown): Buffer => Buffer.from((stored as { base64: string }).base64, 'base64');

/** The committed forms. With UPDATE_GOLDEN=1 today's are written first: a change of the wire, see CONTRIBUTING.md. */
export function goldenForms(binding: string, today: GoldenForms): GoldenForms {
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(pathOf(binding), `${JSON.stringify(asStored(today), null, 2)}\n`);
  }
  return JSON.parse(readFileSync(pathOf(binding), 'utf8')) as GoldenForms;
}

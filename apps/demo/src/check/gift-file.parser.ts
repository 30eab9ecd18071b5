import { TidingsError } from '@tidings/core';
import { z } from 'zod';
import type { PlannedGift } from './gift-generator';

const text = z.string().trim().min(1).max(100);
const line = z.strictObject({
  roomId: text,
  viewerId: text,
  gift: text,
  quantity: z.int().min(1).default(1),
  idempotencyKey: z.string().min(1).max(200).optional(),
});

/** Somebody's file of gifts has lines that are none; each problem begins with its line number. */
export class GiftFileError extends TidingsError {
  constructor(
    readonly file: string,
    readonly problems: readonly string[],
  ) {
    const shown = problems.slice(0, 10).map((problem) => `\n  ${file}:${problem}`);
    const more = problems.length > shown.length ? `\n  and ${problems.length - shown.length} more` : '';
    super(
      'DEMO_GIFT_FILE',
      `expected one gift a line, as {"roomId":"…","viewerId":"…","gift":"rose","quantity":1,"idempotencyKey":"…"} ` +
        `(the last two may be left out), found:${shown.join('')}${more}`,
    );
  }
}

/** Gifts from NDJSON; empty lines are skipped. A line without a key of its own gets one. @throws GiftFileError naming every bad line. */
export function parseGiftFile(file: string, content: string, run: string): PlannedGift[] {
  const gifts: PlannedGift[] = [];
  const problems: string[] = [];
  for (const [index, row] of content
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (!row.trim()) continue;
    const parsed = line.safeParse(json(row));
    if (parsed.success) {
      gifts.push({ ...parsed.data, idempotencyKey: parsed.data.idempotencyKey ?? `${run}-line-${index + 1}` });
    } else {
      const issues = parsed.error.issues.map((issue) =>
        [issue.path.join('.'), issue.message].filter(Boolean).join(': '),
      );
      problems.push(`${index + 1}: ${issues.join('; ')}`);
    }
  }
  if (gifts.length === 0 && problems.length === 0) problems.push('1: no gift at all');
  if (problems.length > 0) throw new GiftFileError(file, problems);
  return gifts;
}

/** Undefined where it is no JSON: the schema then says what was expected. */
function json(row: string): unknown {
  try {
    return JSON.parse(row);
  } catch {
    return undefined;
  }
}

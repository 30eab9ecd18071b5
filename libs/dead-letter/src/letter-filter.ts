import { z } from 'zod';

/**
 * - `dead`: waits for a person.
 * - `redriving`: a redrive has begun and did not end (or is under way); redrive it again.
 * - `redriven`: sent again. Should it fail again, that is another letter.
 * - `handled`: a late copy of it took effect; there is nothing to redrive.
 * - `discarded`: a person decided against it.
 */
export type LetterStatus = 'dead' | 'redriving' | 'redriven' | 'handled' | 'discarded';

/** Which letters are meant: those for which all that is given holds. */
export interface LetterFilter {
  /** Default `dead` and `redriving`: those that wait for somebody. */
  readonly status?: readonly LetterStatus[];
  readonly direction?: 'inbound' | 'outbound';
  /** The group that gave up, or the destination. */
  readonly place?: string;
  readonly transport?: string;
  readonly topic?: string;
  readonly type?: string;
  readonly key?: string;
  readonly source?: string;
  readonly messageId?: string;
  readonly tenant?: string;
  /** W3C trace id, 32 hexadecimal digits. */
  readonly traceId?: string;
  /** Hexadecimal, as `LetterSummary.failureFingerprint` and groups tell it. */
  readonly failureFingerprint?: string;
  /** The name of the last error, as `TypeError`. */
  readonly errorName?: string;
  /** Part of the reason, in whatever case. */
  readonly reason?: string;
  /** Part of the reason or of the message of any error in the story, in whatever case. */
  readonly text?: string;
  /** Buried at or after this instant, RFC 3339. */
  readonly buriedFrom?: string;
  /** Buried before this instant, RFC 3339. */
  readonly buriedBefore?: string;
}

const TEXTS = { error: 'expected a text' };
const text = z.string(TEXTS).optional();
const instant = z.iso.datetime({ offset: true, error: 'expected an instant, as 2026-11-21T03:00:00Z' }).optional();

/** The fields of a filter, for schemas that have more. */
export const letterFilterShape = {
  status: z
    .array(z.enum(['dead', 'redriving', 'redriven', 'handled', 'discarded']))
    .min(1, 'expected at least one status')
    .default(['dead', 'redriving']),
  direction: z.enum(['inbound', 'outbound']).optional(),
  place: text,
  transport: text,
  topic: text,
  type: text,
  key: text,
  source: text,
  messageId: text,
  tenant: text,
  traceId: text,
  failureFingerprint: z
    .string()
    .regex(/^([0-9a-f]{2})+$/, 'expected hexadecimal digits')
    .optional(),
  errorName: text,
  reason: text,
  text,
  buriedFrom: instant,
  buriedBefore: instant,
} as const;

export type CheckedLetterFilter = {
  readonly [Name in keyof Omit<LetterFilter, 'status'>]: LetterFilter[Name] | undefined;
} & { readonly status: readonly LetterStatus[] };

/** True when only letters that wait for somebody are meant: most indexes hold no others. */
export const onlyOpen = ({ status }: CheckedLetterFilter): boolean =>
  status.every((one) => one === 'dead' || one === 'redriving');

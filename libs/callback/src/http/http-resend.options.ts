import { parseOptions } from '@tidings/core';
import { z } from 'zod';
import { checkSigningKeys, type KeySource } from './signing-keys';

const HALF_A_DAY_MS = 43_200_000;

const keys = z.unknown().transform((value, context): KeySource => {
  if (typeof value === 'function') return value as KeySource;
  if (typeof value === 'object' && value !== null) return value as KeySource;
  context.addIssue({ code: 'custom', message: 'expected { secrets, signWith }, or a function that returns it' });
  return z.NEVER;
});

const urlOf = z.string().refine(
  (text) => {
    try {
      return ['http:', 'https:'].includes(new URL(text).protocol);
    } catch {
      return false;
    }
  },
  { error: 'expected a URL, as https://gift-api.internal/callback/resend' },
);

const asking = z.strictObject({
  senders: z.record(z.string(), urlOf, { error: 'expected URLs by the names of services' }),
  keys,
  windowMs: z.number().int().min(1_000).max(HALF_A_DAY_MS).default(300_000),
  timeoutMs: z.number().int().min(1).default(10_000),
});

const answering = z.strictObject({
  keys,
  windowMs: z.number().int().min(1_000).max(HALF_A_DAY_MS).default(300_000),
  skewMs: z.number().int().min(0).max(HALF_A_DAY_MS).default(30_000),
  maxBytes: z.number().int().min(1_024).default(65_536),
});

/** How the callback service asks senders by HTTP. */
export interface HttpResenderOptions {
  /** Where each service answers, by its name (`messaging.source`): the whole URL of its `POST /callback/resend`. */
  readonly senders: Readonly<Record<string, string>>;
  /** What signs the questions, and tells genuine answers. */
  readonly keys: KeySource;
  /** A question is good for this long. Default 300,000 (five minutes), at most half a day. */
  readonly windowMs?: number;
  /** A sender that has not answered by then is asked again later. Default 10,000. */
  readonly timeoutMs?: number;
}

/** How a sender's service answers questions by HTTP. */
export interface HttpResendOptions {
  /** Questions signed by any of these are answered. */
  readonly keys: KeySource;
  /** A question is refused when it was signed longer ago than this, whatever it says itself. Default 300,000 (five minutes), at most half a day. */
  readonly windowMs?: number;
  /** The databases of both services may differ by this in what time it is. Default 30,000, at most half a day. */
  readonly skewMs?: number;
  /** Longer questions are refused unread. Default 65,536. */
  readonly maxBytes?: number;
}

export type ResolvedHttpResenderOptions = Required<HttpResenderOptions>;
export type ResolvedHttpResendOptions = Required<HttpResendOptions>;

/** @throws OptionsError */
export function checkHttpResenderOptions(subject: string, options: HttpResenderOptions): ResolvedHttpResenderOptions {
  const checked = parseOptions(subject, asking, options);
  if (typeof checked.keys !== 'function') checkSigningKeys(`${subject}.keys`, checked.keys);
  return checked;
}

/** @throws OptionsError */
export function checkHttpResendOptions(subject: string, options: HttpResendOptions): ResolvedHttpResendOptions {
  const checked = parseOptions(subject, answering, options);
  if (typeof checked.keys !== 'function') checkSigningKeys(`${subject}.keys`, checked.keys);
  return checked;
}

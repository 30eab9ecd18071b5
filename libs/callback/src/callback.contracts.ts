import { defineMessage, defineRequest, type RequestContract } from '@tidings/core';
import { z } from 'zod';
import { resendAnswer, type ResendAnswer, resendQuestion, type ResendQuestion } from './resender';

/** What the callback service is to look after: one message, and who is to confirm it. */
export const recheckPayload = resendQuestion.omit({ groups: true }).extend({
  /** Who is expected to confirm. Null: the groups that the registry knows for the type since before the message's time. */
  groups: z.array(z.string()).nullable(),
  /** Not before this many milliseconds from the recheck's arrival, for a transport that has no delay of its own. 0: it was delayed on its way. */
  afterMs: z.number().int().min(0),
});
export type RecheckPayload = z.output<typeof recheckPayload>;

/** The second, delayed delivery: goes to the callback service, and makes it look whether all groups have confirmed. */
export const Recheck = defineMessage('tidings.recheck', { schema: recheckPayload });

export const confirmation = z.object({
  /** Of the message that was handled. */
  source: z.string(),
  id: z.string(),
  bucket: z.string(),
  type: z.string(),
  group: z.string(),
  /** The message's time. */
  sentAt: z.string(),
  /** When its handler was done, by the consumer's clock: for the latency, and compared with nothing else. */
  at: z.string(),
  /** The inbox knew the message: it had been handled before. */
  copy: z.boolean(),
  /** What came was sent again, and not the first sending. */
  resent: z.boolean().default(false),
});
export type Confirmation = z.output<typeof confirmation>;

/** Handled, and committed: by one group, for one message or for many. */
export const Confirmed = defineMessage('tidings.confirmed', {
  schema: z.object({ confirmations: z.array(confirmation).min(1) }),
});

/** The durable subscriptions of a process that confirms, told when they have started. */
export const Subscribed = defineMessage('tidings.subscribed', {
  schema: z.object({
    subscriptions: z.array(z.object({ type: z.string(), group: z.string() })).min(1),
    /** From when on their messages wait for them, at the latest. */
    since: z.string(),
  }),
});

/** The contract by which one service is asked to send again; each has a topic of its own. */
export const resendRequest = (
  source: string,
): RequestContract<ResendQuestion, ResendQuestion, { answer: ResendAnswer }> =>
  defineRequest('tidings.resend', {
    schema: resendQuestion,
    topic: `tidings.resend.${source}`,
    reply: { schema: z.object({ answer: resendAnswer }) },
  });

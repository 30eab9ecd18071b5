import { z } from 'zod';

/**
 * What became of a message, as its sender knows it.
 * - `sent`: its transaction committed, and it is sent once more, now.
 * - `never`: its transaction rolled back. It is not sent, and never will be.
 * - `undecided`: its transaction is still open, or the sender cannot tell now. To be asked again.
 */
export const resendAnswer = z.enum(['sent', 'never', 'undecided']);
export type ResendAnswer = z.output<typeof resendAnswer>;

/** What the sender is asked: everything that it needs to find one message again, and to make the very same one. */
export const resendQuestion = z.object({
  /** Of the message. */
  id: z.string(),
  /** The service that sent it, and that is asked. */
  source: z.string(),
  /** The contract's type, as `gift.sent`. */
  type: z.string(),
  topic: z.string(),
  key: z.string().nullable(),
  /** The message's own: a copy must carry the same, or inboxes would not know it again. */
  bucket: z.string(),
  /** The message's own, RFC 3339. */
  time: z.string(),
  headers: z.record(z.string(), z.string()),
  /** The transaction that the message belongs to, as PostgreSQL numbers it (xid8 as text). Null: it belongs to none, so it was decided when it was sent. */
  transaction: z.string().nullable(),
  /** Who has not confirmed. Only these are sent to, where the transport can address a group. */
  groups: z.array(z.string()).min(1),
});

export type ResendQuestion = z.output<typeof resendQuestion>;

/**
 * Has a message sent once more. The sender's service has one that looks into its own database; the callback service has one that asks that service, by
 * request-reply or by HTTP.
 */
export interface Resender {
  /**
   * Resolves with `sent` when the copy is out: the transport has confirmed it for each group asked for. Asking twice sends twice, which inboxes
   * absorb. Concurrent calls are allowed. Rejects when the sender cannot be reached or fails: nothing is known then, and it is to be asked again.
   */
  resend(question: ResendQuestion): Promise<ResendAnswer>;
}

import type { Message } from '../message/message';

/** What failed for good, and the whole story of it. */
export interface DeadLetter {
  readonly message: Message;
  /** `inbound`: a handler's group gave up on it. `outbound`: a relay could not publish it. */
  readonly direction: 'inbound' | 'outbound';
  /** The group that failed, or the destination's name. */
  readonly place: string;
  readonly transport: string;
  /** Outbound: the one group that the message was addressed to, if it was. A redrive must not reach others. */
  readonly group?: string;
  readonly handler?: string;
  readonly reason: string;
  readonly attempts: number;
  readonly failures: readonly FailureRecord[];
}

export interface FailureRecord {
  readonly attempt: number;
  /** RFC 3339. */
  readonly at: string;
  /** The process that failed. */
  readonly instance: string;
  /** The error and its causes, outermost first. */
  readonly errors: readonly { readonly name: string; readonly message: string; readonly stack?: string }[];
}

/** Where a pattern buries what failed for good: outbox and consumers need it, neither owns it. */
export interface DeadLetterSink {
  /** Resolves when the letter is durable; only then may the message be settled. Rejects when the store is away: the message stays where it is. */
  bury(letter: DeadLetter): Promise<void>;
}

/** An error and its causes, as a dead letter keeps them. Ten deep at most: a cycle of causes must not hang the burial. */
export function errorChain(error: Error): FailureRecord['errors'] {
  const chain: { name: string; message: string; stack?: string }[] = [];
  for (let current: unknown = error; current instanceof Error && chain.length < 10; current = current.cause) {
    chain.push({ name: current.name, message: current.message, ...(current.stack && { stack: current.stack }) });
  }
  return chain;
}

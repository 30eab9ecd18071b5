import type { Store } from '@tidings/core';
import { letterKeyOf, type LetterIdentity } from './letter-key';
import { beginAttempt, type BegunAttempt } from './sql/begin-attempt';
import { endAttempt } from './sql/end-attempt';
import { withdrawAttempt } from './sql/withdraw-attempt';

/**
 * Remembers across crashes which message a process was working on. Each call commits by itself, on Tidings' own connections: what the handler's
 * transaction holds would vanish with the process. Rejects when the store is away.
 */
export interface AttemptLedger {
  /** Durable when it resolves. An attempt that began before and was never ended or withdrawn is a death, and is counted now. */
  begin(letter: LetterIdentity, instance: string): Promise<BegunAttempt>;
  /** The attempt was not made after all: a crash from now on is not its own. Its deaths stay. Idempotent. */
  withdraw(letter: LetterIdentity, instance: string): Promise<void>;
  /** The message was settled: all is forgotten. Idempotent. */
  end(letter: LetterIdentity): Promise<void>;
}

export const postgresAttempts = (store: Store): AttemptLedger => ({
  begin: (letter, instance) => beginAttempt(store, letterKeyOf(letter), instance),
  withdraw: (letter, instance) => withdrawAttempt(store, letterKeyOf(letter), instance),
  end: (letter) => endAttempt(store, letterKeyOf(letter)),
});

import type { LetterFilter } from './letter-filter';

/**
 * - `running`: some process works on it, or will.
 * - `paused`: by a person, or because a canary's outcome did not show in time (`detail` tells); may be resumed.
 * - `stopped`: a canary failed again; what was not redriven waits as before.
 * - `cancelled`: by a person, for good.
 * - `done`: all its letters were dealt with.
 */
export type RedriveJobStatus = 'running' | 'paused' | 'stopped' | 'cancelled' | 'done';

/** Letters by their ids, up to 1,000, or those that a filter or a group (`{ filter: { failureFingerprint } }`) means when the job begins. */
export type LetterSelection =
  | { readonly ids: readonly string[] }
  /** Of those that wait for somebody. */
  | { readonly filter: Omit<LetterFilter, 'status'> };

export interface RedriveJobOptions {
  /** Who wants it, and why. */
  readonly by: string;
  readonly reason: string;
  /** The first so many are redriven and waited for; the others follow when all of them were handled. 0 to 100. Default 1. */
  readonly canary?: number;
  /** Letters a second, once the canaries have passed. Default: no limit but the transport's. */
  readonly perSecond?: number;
  /**
   * How long an outcome is waited for: of a canary, then the job pauses and says so; of a letter whose key has another one behind it, then that one
   * follows all the same. Should be longer than the group's retries. Default 60,000.
   */
  readonly outcomeWaitMs?: number;
}

/** A redrive of many letters and how far it has got. */
export interface RedriveJob {
  readonly id: string;
  readonly status: RedriveJobStatus;
  readonly selection: LetterSelection;
  readonly by: string;
  readonly reason: string;
  /** RFC 3339, the database's clock. */
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly canary: number;
  readonly canaryPassed: boolean;
  readonly perSecond: number | null;
  readonly outcomeWaitMs: number;
  /** Letters sent again. */
  readonly redriven: number;
  /** Letters that their transport refused; they stay open. */
  readonly failed: number;
  /** Letters that somebody else had settled meanwhile, or a late copy had. */
  readonly skipped: number;
  /** Letters kept back because an earlier letter of their key failed again; they stay open. */
  readonly held: number;
  /** Why it waits, paused or stopped; null when there is nothing to tell. */
  readonly detail: string | null;
}

/** A job that a process has taken, for as long as nobody raises its epoch. */
export interface TakenRedriveJob extends RedriveJob {
  readonly epoch: string;
  readonly upto: string;
  readonly cursor: JobCursor;
  readonly canaries: readonly string[];
}

/** The last letter that was dealt with. */
export interface JobCursor {
  readonly position: string;
  readonly id: string;
}

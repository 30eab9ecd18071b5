import type { Store } from '@tidings/core';
import type { FoundLetter } from './letter-redrive';
import type { LetterSelection, RedriveJob, RedriveJobStatus, TakenRedriveJob } from './redrive-job';
import { advanceRedriveJob, type JobAdvance } from './sql/advance-redrive-job';
import { findLetter } from './sql/find-letter';
import { findLetterByIdentity } from './sql/find-letter-by-identity';
import { findNextRedrive } from './sql/find-next-redrive';
import { findPredecessor } from './sql/find-predecessor';
import { findRedriveJob } from './sql/find-redrive-job';
import { insertRedriveJob, type NewRedriveJob } from './sql/insert-redrive-job';
import { listRedriveJobs } from './sql/list-redrive-jobs';
import { measureSettled } from './sql/measure-settled';
import { type LettersPicked, type PickedLetter, pickLetters, type PickedSelection } from './sql/pick-letters';
import { type JobRest, restRedriveJob } from './sql/rest-redrive-job';
import { steerRedriveJob } from './sql/steer-redrive-job';
import { takeRedriveJob } from './sql/take-redrive-job';

/** Where redrive jobs are kept. Each call is atomic by itself; what it promises is told in the statement's file. */
export interface RedriveJobTable {
  insert(selection: LetterSelection, options: NewRedriveJob): Promise<RedriveJob>;
  find(id: string): Promise<RedriveJob | undefined>;
  list(after: string, limit: number): Promise<readonly RedriveJob[]>;
  steer(id: string, from: readonly RedriveJobStatus[], to: 'running' | 'paused' | 'cancelled'): Promise<boolean>;
  take(leaseMs: number): Promise<TakenRedriveJob | undefined>;
  nextMs(): Promise<number | undefined>;
  advance(job: TakenRedriveJob, advance: JobAdvance): Promise<RedriveJobStatus | undefined>;
  rest(job: TakenRedriveJob, rest: JobRest): Promise<void>;
}

/** Letters as a job sees them. */
export interface RedrivenLetters {
  pick(
    selection: PickedSelection,
    cursor: TakenRedriveJob['cursor'],
    upto: string,
    limit: number,
  ): Promise<LettersPicked>;
  predecessor(job: string, letter: PickedLetter): Promise<string | undefined>;
  find(id: string): Promise<FoundLetter | undefined>;
  /** The letter of that identity. */
  again(letterKey: Buffer): Promise<{ readonly id: string; readonly reason: string } | undefined>;
  settledMs(id: string): Promise<number>;
}

export interface RedriveTable {
  readonly jobs: RedriveJobTable;
  readonly letters: RedrivenLetters;
}

/** The tables in a store's database. */
export const postgresRedrives = (store: Store): RedriveTable => ({
  jobs: {
    insert: (selection, options) => insertRedriveJob(store, selection, options),
    find: (id) => findRedriveJob(store, id),
    list: (after, limit) => listRedriveJobs(store, after, limit),
    steer: (id, from, to) => steerRedriveJob(store, id, from, to),
    take: (leaseMs) => takeRedriveJob(store, leaseMs),
    nextMs: () => findNextRedrive(store),
    advance: (job, advance) => advanceRedriveJob(store, job, advance),
    rest: (job, rest) => restRedriveJob(store, job, rest),
  },
  letters: {
    pick: (selection, cursor, upto, limit) => pickLetters(store, selection, cursor, upto, limit),
    predecessor: (job, letter) => findPredecessor(store, job, letter),
    find: (id) => findLetter(store, id),
    again: (letterKey) => findLetterByIdentity(store, letterKey),
    settledMs: (id) => measureSettled(store, id),
  },
});

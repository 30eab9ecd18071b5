import { asError, type Clock, type Closeable, PeriodicTask, type Store, type TidingsLogger } from '@tidings/core';
import type { RedriveResult } from './dead-letters';
import type { RedriveOfJob } from './letter-redrive';
import type { TakenRedriveJob } from './redrive-job';
import { redriveChannel } from './redrive-channel';
import { type HandledMessage, outcomeOf } from './redrive-outcome';
import { postgresRedrives, type RedriveTable } from './redrive-table';
import type { JobAdvance } from './sql/advance-redrive-job';
import type { PickedLetter, PickedSelection } from './sql/pick-letters';
import type { JobRest } from './sql/rest-redrive-job';

export interface RedriveWorkerParts {
  readonly store: Store;
  /** Default: the tables in the store. */
  readonly table?: RedriveTable;
  /** Redrives one letter, as PostgresDeadLetters does with this process's transports. */
  readonly redrive: (id: string, ofJob: RedriveOfJob) => Promise<RedriveResult>;
  /** What became of a redriven message. Default: unknowable. */
  readonly handled?: HandledMessage;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  /** How often it looks for a due job that nobody told it of: a fallback. Default 300,000. */
  readonly pollMs?: number;
  /** A job whose process died is taken over after this. Default 30,000. */
  readonly leaseMs?: number;
}

const PAGE = 50;
const OUTCOME_POLL_MS = 250;
const AGAIN_AFTER_MS = 2_000;
/** One that was due and is being taken by another process just now. */
const TAKEN_AGAIN_MS = 100;
/** A longer pause between two letters is slept by the job, not by the worker that holds it. */
const LONGEST_PACE_MS = 500;

interface Report {
  readonly again?: boolean;
  readonly nextMs?: number;
}

/**
 * Works on redrive jobs, one at a time. Any number of processes may; a job is one's for a lease at a time. All that it knows of a job is in the
 * database: whoever takes over redrives the letter that the other was at once more, in the same generation, and counts it once.
 */
export class RedriveWorker {
  readonly #task: PeriodicTask;
  readonly #table: RedriveTable;
  readonly #leaseMs: number;
  #listening: Promise<Closeable> | undefined;

  constructor(private readonly parts: RedriveWorkerParts) {
    const { clock, logger, pollMs = 300_000, leaseMs = 30_000 } = parts;
    this.#table = parts.table ?? postgresRedrives(parts.store);
    this.#leaseMs = leaseMs;
    this.#task = new PeriodicTask({ name: 'redrive jobs', everyMs: pollMs, clock, logger, runOnce: (signal) => this.#turn(signal) }); // prettier-ignore
  }

  /** Safe twice. */
  async start(): Promise<void> {
    const { store } = this.parts;
    const listening = (this.#listening ??= store.listen(redriveChannel(store), () => this.wake()));
    await listening;
    if (this.#listening === listening) this.#task.start(); // else stopped meanwhile
  }

  /** Resolves when the letter that is being redriven is. */
  async stop(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    await this.#task.stop();
    await (await listening)?.close();
  }

  wake(): void {
    this.#task.wake();
  }

  async #turn(signal: AbortSignal): Promise<Report> {
    try {
      return await this.runOnce(signal);
    } catch (thrown) {
      this.parts.logger.warn({ err: asError(thrown) }, 'redrive jobs could not be looked for; will look again');
      return { nextMs: AGAIN_AFTER_MS };
    }
  }

  /** Takes the job that has been due for longest, if any, and works on it for a page. Else tells when the next is due. */
  async runOnce(signal: AbortSignal): Promise<Report> {
    const job = await this.#table.jobs.take(this.#leaseMs);
    if (!job) {
      const nextMs = await this.#table.jobs.nextMs();
      return nextMs === undefined ? {} : { nextMs: Math.max(TAKEN_AGAIN_MS, nextMs) };
    }
    try {
      const watching = !job.canaryPassed && job.canaries.length >= job.canary;
      return await (watching ? this.#watchCanaries(job) : this.#nextPage(job, signal));
    } catch (thrown) {
      const err = asError(thrown);
      this.parts.logger.warn({ job: job.id, err }, 'a redrive job could not go on; it is tried again');
      return this.#rest(job, { status: 'running', afterMs: AGAIN_AFTER_MS, detail: err.message });
    }
  }

  async #nextPage(job: TakenRedriveJob, signal: AbortSignal): Promise<Report> {
    const limit = job.canaryPassed ? PAGE : job.canary - job.canaries.length;
    const { letters, next } = await this.#table.letters.pick(selectionOf(job), job.cursor, job.upto, limit);
    for (const letter of letters) {
      if (signal.aborted) return this.#rest(job, { status: 'running' });
      const stopped = await this.#one(job, letter);
      if (stopped) return stopped;
      const paceMs = job.perSecond === null || !job.canaryPassed ? 0 : 1_000 / job.perSecond;
      if (paceMs > LONGEST_PACE_MS) return this.#rest(job, { status: 'running', afterMs: paceMs });
      await this.parts.clock.wait(paceMs, signal);
    }
    if (!next) {
      if (job.canaryPassed) return this.#rest(job, { status: 'done' });
      // There are fewer letters than canaries. The next turn knows which of them were redriven.
      return letters.length > 0 ? this.#rest(job, { status: 'running' }) : this.#watchCanaries(job, true);
    }
    if (letters.at(-1)?.id !== next.id) await this.#advance(job, { cursor: next, what: 'nothing' });
    return this.#rest(job, { status: 'running' });
  }

  /** Redrives one letter; a report when this page ends with it. */
  async #one(job: TakenRedriveJob, letter: PickedLetter): Promise<Report | undefined> {
    const cursor = { position: letter.position, id: letter.id };
    const before = await this.#predecessor(job, letter);
    if (before === 'pending') return this.#rest(job, { status: 'running', afterMs: OUTCOME_POLL_MS, detail: `waits for the letter before letter ${letter.id}, of the same key, to be handled` }); // prettier-ignore
    if (before === 'failed') return this.#advance(job, { cursor, what: 'held' });
    let lost: Report | undefined;
    const settle = async (): Promise<void> => {
      lost = await this.#advance(job, { cursor, what: 'redriven' });
    };
    const result = await this.parts.redrive(letter.id, { job: job.id, settle });
    if (result.outcome === 'redriven') return lost;
    if (result.outcome !== 'failed') return this.#advance(job, { cursor, what: 'skipped' });
    const detail = `letter ${letter.id} could not be published (${result.reason}): ${result.error.message}`;
    if (result.reason === 'transient') return this.#rest(job, { status: 'running', afterMs: AGAIN_AFTER_MS, detail }); // prettier-ignore
    const gone = await this.#advance(job, { cursor, what: 'failed' });
    return gone ?? (job.canaryPassed ? undefined : this.#rest(job, { status: 'stopped', detail }));
  }

  /** What became of the letter of the same key that the job redrove last. */
  async #predecessor(job: TakenRedriveJob, letter: PickedLetter): Promise<'none' | 'pending' | 'failed'> {
    if (letter.key === null || letter.direction === 'outbound') return 'none';
    const before = await this.#table.letters.predecessor(job.id, letter);
    if (before === undefined) return 'none';
    const outcome = await outcomeOf(this.#table.letters, before, job.outcomeWaitMs, this.parts.handled);
    if (outcome.kind === 'failed') return 'failed';
    return outcome.kind === 'pending' && outcome.knowable ? 'pending' : 'none';
  }

  /** Goes on when all canaries were handled, stops when one failed again, pauses when one's outcome does not show. */
  async #watchCanaries(job: TakenRedriveJob, last = false): Promise<Report> {
    const { handled } = this.parts;
    let waiting: string | undefined;
    for (const id of job.canaries) {
      const outcome = await outcomeOf(this.#table.letters, id, job.outcomeWaitMs, handled);
      if (outcome.kind === 'failed') return this.#rest(job, { status: 'stopped', detail: outcome.reason });
      if (outcome.kind === 'undecided' && outcome.knowable) return this.#rest(job, { status: 'paused', detail: `letter ${id} was neither handled nor buried within ${job.outcomeWaitMs} ms` }); // prettier-ignore
      if (outcome.kind === 'pending') waiting ??= `waits for the outcome of letter ${id}`;
    }
    if (waiting) return this.#rest(job, { status: 'running', afterMs: OUTCOME_POLL_MS, detail: waiting });
    return this.#rest(job, { status: last ? 'done' : 'running', canaryPassed: true });
  }

  async #advance(job: TakenRedriveJob, advance: Omit<JobAdvance, 'leaseMs'>): Promise<Report | undefined> {
    const status = await this.#table.jobs.advance(job, { ...advance, leaseMs: this.#leaseMs });
    return status === 'running' ? undefined : { again: true };
  }

  async #rest(job: TakenRedriveJob, rest: JobRest): Promise<Report> {
    await this.#table.jobs.rest(job, rest);
    return rest.afterMs ? { nextMs: rest.afterMs } : { again: true };
  }
}

function selectionOf({ selection }: TakenRedriveJob): PickedSelection {
  if ('ids' in selection) return selection;
  return { filter: { ...selection.filter, status: ['dead', 'redriving'] } };
}

import { type Clock, timestampOf } from '@tidings/core';
import type { LetterTable } from './letter-table';
import { fits, type MemoryLetter } from './memory-letter';
import type { RedriveJob, RedriveJobStatus, TakenRedriveJob } from './redrive-job';
import type { RedriveJobTable, RedrivenLetters, RedriveTable } from './redrive-table';
import type { PickedSelection } from './sql/pick-letters';

/** Where the letters are that jobs redrive. */
export interface LetterShelf extends Pick<LetterTable, 'find'> {
  /** In the order in which they were filed. */
  readonly all: readonly MemoryLetter[];
  /** Marks a letter that is being redriven. */
  redriven(id: string, job: string): void;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
type MemoryJob = Writable<TakenRedriveJob> & { nextAt: number };

/** Redrive jobs in the memory of this process, for tests. */
export const memoryRedrives = (shelf: LetterShelf, clock: Clock): RedriveTable => ({
  jobs: new MemoryRedriveJobs(shelf, clock),
  letters: redrivenOn(shelf, clock),
});

class MemoryRedriveJobs implements RedriveJobTable {
  readonly #jobs = new Map<string, MemoryJob>();

  constructor(
    private readonly shelf: LetterShelf,
    private readonly clock: Clock,
  ) {}

  async insert(...[selection, options]: Parameters<RedriveJobTable['insert']>): Promise<RedriveJob> {
    const id = String(this.#jobs.size + 1);
    const counts = { redriven: 0, failed: 0, skipped: 0, held: 0 };
    const begun = { status: 'running', createdAt: this.#now, endedAt: null, detail: null } as const;
    const upto = this.shelf.all.at(-1)?.id ?? '0';
    const place = { epoch: '0', upto, cursor: { position: '0', id: '0' }, canaries: [], nextAt: this.clock.now() };
    this.#jobs.set(id, {
      id,
      selection,
      ...options,
      canaryPassed: options.canary === 0,
      ...counts,
      ...begun,
      ...place,
    });
    return jobOf(this.#jobs.get(id)!);
  }

  async find(id: string): Promise<RedriveJob | undefined> {
    const job = this.#jobs.get(id);
    return job && jobOf(job);
  }

  async list(after: string, limit: number): Promise<readonly RedriveJob[]> {
    const older = [...this.#jobs.values()].reverse().filter(({ id }) => BigInt(id) < BigInt(after));
    return older.slice(0, limit).map(jobOf);
  }

  async steer(id: string, from: readonly RedriveJobStatus[], to: 'running' | 'paused' | 'cancelled'): Promise<boolean> {
    const job = this.#jobs.get(id);
    if (!job || !from.includes(job.status)) return false;
    const taken = to === 'running' && job.detail !== null && job.canaries.length > 0; // its canaries are taken for passed
    Object.assign(job, {
      status: to,
      detail: null,
      nextAt: this.clock.now(),
      canaryPassed: job.canaryPassed || taken,
      endedAt: to === 'cancelled' ? this.#now : null,
    });
    return true;
  }

  async take(leaseMs: number): Promise<TakenRedriveJob | undefined> {
    const now = this.clock.now();
    const due = this.#running().find(({ nextAt }) => nextAt <= now);
    if (!due) return undefined;
    Object.assign(due, { epoch: String(BigInt(due.epoch) + 1n), nextAt: now + leaseMs });
    return { ...due };
  }

  async nextMs(): Promise<number | undefined> {
    const [next] = this.#running();
    return next && Math.max(0, next.nextAt - this.clock.now());
  }

  async advance(...[taken, { cursor, what, leaseMs }]: Parameters<RedriveJobTable['advance']>) {
    if (what === 'redriven') this.shelf.redriven(cursor.id, taken.id);
    const job = this.#held(taken);
    if (!job) return undefined;
    if (what !== 'nothing') job[what] += 1;
    const isCanary = what === 'redriven' && job.canaries.length < job.canary;
    if (isCanary) job.canaries = [...job.canaries, cursor.id];
    Object.assign(job, { cursor, detail: null, nextAt: this.clock.now() + leaseMs });
    return job.status;
  }

  async rest(...[taken, { status, afterMs = 0, canaryPassed = false, detail }]: Parameters<RedriveJobTable['rest']>) {
    const job = this.#held(taken);
    if (job?.status !== 'running') return;
    Object.assign(job, {
      status,
      detail: detail ?? null,
      canaryPassed: job.canaryPassed || canaryPassed,
      nextAt: this.clock.now() + afterMs,
      endedAt: status === 'done' || status === 'stopped' ? this.#now : null,
    });
  }

  get #now(): string {
    return timestampOf(this.clock.now());
  }

  #held({ id, epoch }: TakenRedriveJob): MemoryJob | undefined {
    const job = this.#jobs.get(id);
    return job?.epoch === epoch ? job : undefined;
  }

  /** Due for longest first. */
  #running(): MemoryJob[] {
    return [...this.#jobs.values()].filter(({ status }) => status === 'running').sort((a, b) => a.nextAt - b.nextAt);
  }
}

function jobOf({
  nextAt: _nextAt,
  epoch: _epoch,
  upto: _upto,
  cursor: _cursor,
  canaries: _canaries,
  ...job
}: MemoryJob): RedriveJob {
  return { ...job };
}

const isOpen = ({ status }: MemoryLetter): boolean => status === 'dead' || status === 'redriving';
const isMeant = (letter: MemoryLetter, selection: PickedSelection): boolean =>
  'ids' in selection ? selection.ids.includes(letter.id) : fits(letter, selection.filter);

/** By position, then by id. */
const compare = (a: { position: string; id: string }, b: { position: string; id: string }): number =>
  Number(BigInt(a.position) - BigInt(b.position)) || Number(BigInt(a.id) - BigInt(b.id));

const redrivenOn = (shelf: LetterShelf, clock: Clock): RedrivenLetters => ({
  pick: async (selection, cursor, upto, limit) => {
    const meant = shelf.all.filter((one) => isOpen(one) && BigInt(one.id) <= BigInt(upto) && isMeant(one, selection));
    const ahead = meant.filter((one) => compare(one, cursor) > 0).sort(compare).slice(0, limit); // prettier-ignore
    const letters = ahead.map(({ id, position, direction, place, message }) => ({ id, position, direction, place, key: message.key })); // prettier-ignore
    const last = letters.at(-1);
    return { letters, next: letters.length === limit ? last : undefined };
  },
  predecessor: async (job, { key, place }) => {
    const before = shelf.all.filter(
      (one) =>
        one.job === job &&
        one.message.key === key &&
        one.place === place &&
        one.direction === 'inbound' &&
        one.status === 'redriven',
    );
    return before.sort(compare).at(-1)?.id;
  },
  find: (id) => shelf.find(id),
  again: async (letterKey) => shelf.all.find(({ identity }) => identity === letterKey.toString('hex')),
  settledMs: async (id) => {
    const settledAt = shelf.all.find((one) => one.id === id)?.settledAt ?? null;
    return settledAt === null ? Infinity : clock.now() - Date.parse(settledAt);
  },
});

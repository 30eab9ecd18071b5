import { OptionsError, parseOptions, type Store } from '@tidings/core';
import { z } from 'zod';
import { decisionShape, idSchema, NO_ID } from './dead-letters.options';
import { letterFilterShape } from './letter-filter';
import type { LetterSelection, RedriveJob, RedriveJobOptions, RedriveJobStatus } from './redrive-job';
import { postgresRedrives, type RedriveJobTable } from './redrive-table';

const MOST_IDS = 1_000;

const { status: _open, ...filterShape } = letterFilterShape;

export const selectionSchema = z.union([
  z.strictObject({ ids: z.array(idSchema).min(1).max(MOST_IDS) }),
  z.strictObject({ filter: z.strictObject(filterShape) }),
]);

const optionsSchema = z.strictObject({
  ...decisionShape,
  canary: z.int().min(0).max(100).default(1),
  perSecond: z.number().min(0.01).max(10_000).optional(),
  outcomeWaitMs: z.int().min(0).default(60_000),
});

/** How a person steers redrives of many letters. What they do is done by a RedriveWorker, in this process or another. */
export class RedriveJobs {
  constructor(
    store: Store,
    /** Hears that a job may have become due. */
    private readonly onDue: () => void = () => undefined,
    private readonly table: RedriveJobTable = postgresRedrives(store).jobs,
  ) {}

  /**
   * Begins a job; resolves when it is durable. Letters are redriven in the order in which their messages failed first, one after the other; a letter
   * follows an earlier one of its key and group when that was handled, and is kept back when that failed again.
   *
   * @throws OptionsError for a bad selection or option.
   */
  async start(selection: LetterSelection, options: RedriveJobOptions): Promise<RedriveJob> {
    const checked = parseOptions('redriveJobs.start', optionsSchema, options);
    const { success, error } = selectionSchema.safeParse(selection);
    if (!success)
      throw new OptionsError('redriveJobs.start.selection', `expected { ids } or { filter }: ${problemOf(error)}`);
    const job = await this.table.insert(selection, { ...checked, perSecond: checked.perSecond ?? null });
    this.onDue();
    return job;
  }

  /** A job and how far it has got; undefined when there is none of that id. */
  async find(id: string): Promise<RedriveJob | undefined> {
    return idSchema.safeParse(id).success ? this.table.find(id) : undefined;
  }

  /** A page of jobs, newest first; `after` is the last id of the page before. */
  async list({ after = NO_ID.newest, limit = 50 }: { readonly after?: string; readonly limit?: number } = {}): Promise<
    readonly RedriveJob[]
  > {
    const page = parseOptions('redriveJobs.list', listSchema, { after, limit });
    return this.table.list(page.after, page.limit);
  }

  /** Stops a running job after the letter that is being redriven; false when it is not running. */
  pause(id: string): Promise<boolean> {
    return this.#steer(id, ['running'], 'paused');
  }

  /** Lets a paused job go on; false when it is not paused. One that paused because its canaries showed no outcome takes them for passed. */
  async resume(id: string): Promise<boolean> {
    const resumed = await this.#steer(id, ['paused'], 'running');
    if (resumed) this.onDue();
    return resumed;
  }

  /** Ends a job for good, after the letter that is being redriven; false when it has ended. */
  cancel(id: string): Promise<boolean> {
    return this.#steer(id, ['running', 'paused'], 'cancelled');
  }

  async #steer(
    id: string,
    from: readonly RedriveJobStatus[],
    to: 'running' | 'paused' | 'cancelled',
  ): Promise<boolean> {
    return idSchema.safeParse(id).success && this.table.steer(id, from, to);
  }
}

const listSchema = z.strictObject({ after: z.string().regex(/^\d{1,19}$/), limit: z.int().min(1).max(500) });

const problemOf = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': ')).join('; ');

import { parseOptions, type Store, type TidingsLogger } from '@tidings/core';
import { z } from 'zod';
import { type RotationOutcome, rotateSegment } from './sql/rotate-segment';

export const rotationOptions = z.object({
  /** After a try, the next one not before this time. Default 60,000. */
  everyMs: z.number().int().positive().default(60_000),
  /** Writers go to the next segment after this time at the latest, if it is free. Default 3,600,000 (an hour). */
  afterMs: z.number().int().nonnegative().default(3_600_000),
  /** … or when the current one is as large as this. Default 1 GiB. */
  fullBytes: z
    .number()
    .int()
    .positive()
    .default(2 ** 30),
  /** A delivered message stays readable in the log at least this long. Default 600,000 (ten minutes). */
  archiveMs: z.number().int().nonnegative().default(600_000),
});

export type RotationOptions = z.input<typeof rotationOptions>;
export type ResolvedRotationOptions = z.output<typeof rotationOptions>;

/** Reasons that a person must hear of when they last: the log grows meanwhile. */
const WORRYING: ReadonlySet<RotationOutcome> = new Set(['locked', 'unread', 'unheard']);
const WORRYING_AFTER = 10;

/** Turns the ring of segments. Any number of processes may run it. Whatever stops a turn costs disk, never speed and never a message. */
export class SegmentRotation {
  readonly #options: ResolvedRotationOptions;
  #refusals = 0;

  constructor(
    private readonly store: Store,
    private readonly tools: { readonly logger: TidingsLogger },
    options: RotationOptions = {},
  ) {
    this.#options = parseOptions('rotation', rotationOptions, options);
  }

  async runOnce(): Promise<RotationOutcome> {
    const outcome = await rotateSegment(this.store, this.#options);
    this.#refusals = WORRYING.has(outcome) ? this.#refusals + 1 : 0;
    if (this.#refusals > 0 && this.#refusals % WORRYING_AFTER === 0) {
      const told = { schema: this.store.schema, outcome, tries: this.#refusals };
      this.tools.logger.warn(told, "the log's next segment cannot be emptied; the log grows");
    }
    return outcome;
  }
}

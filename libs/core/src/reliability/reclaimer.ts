/** What one Reclaimer did in one run. */
export interface ReclaimReport {
  /** The Reclaimer's. */
  readonly name: string;
  /** What was taken back from dead workers in this run, for others to go on with. */
  readonly reclaimed: number;
  /** Counts that only this Reclaimer knows, as `{ forgotten: 3 }`. */
  readonly detail?: Readonly<Record<string, number>>;
}

/**
 * Takes back what dead workers hold, and gives up what nobody needs any more. Any process may run it at any time, also two at once and one that dies
 * half-way: it is idempotent, works in bounded pages, and decides by the database's or the broker's clock.
 */
export interface Reclaimer {
  /** What it looks after, as `prepared messages`; for reports and logs. */
  readonly name: string;
  /** Rejects when the store or the broker is away: nothing is lost, the next run does it. */
  reclaim(): Promise<ReclaimReport>;
}

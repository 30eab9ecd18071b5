import {
  asError,
  type Clock,
  PeriodicTask,
  type Reclaimer,
  type ReclaimReport,
  type Store,
  type TidingsLogger,
} from '@tidings/core';
import type { ResolvedReclaimOptions } from './reclaim.options';
import { beginRun } from './sql/begin-run';
import { endRun } from './sql/end-run';
import { findLastRun, type ReclaimRun } from './sql/find-last-run';

export interface ReclaimSchedulerSetup {
  readonly store: Store;
  readonly reclaimers: readonly Reclaimer[];
  readonly options: ResolvedReclaimOptions;
  /** Tells this process from others. */
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

/**
 * Runs every Reclaimer of a store, in one process of the cluster at a time: whichever asks first when a run is due takes the lease. The lease spares
 * work and keeps reports apart; it is no fence, for Reclaimers bear company.
 */
export class ReclaimScheduler {
  readonly #task: PeriodicTask;

  constructor(private readonly setup: ReclaimSchedulerSetup) {
    const { clock, logger, options } = setup;
    this.#task = new PeriodicTask({
      name: 'reclaim',
      everyMs: options.everyMs,
      runOnce: () => this.#runWhenDue(),
      clock,
      logger,
    });
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /**
   * Runs all Reclaimers now, whoever holds the lease: for an operator who does not want to wait. A Reclaimer that fails is logged and reported with
   * `{ failed: 1 }`; the others run all the same.
   */
  async run(): Promise<readonly ReclaimReport[]> {
    const { reclaimers, logger } = this.setup;
    const reports: ReclaimReport[] = [];
    for (const reclaimer of reclaimers) {
      try {
        reports.push(await reclaimer.reclaim());
      } catch (thrown) {
        logger.error(
          { reclaimer: reclaimer.name, err: asError(thrown) },
          'a reclaimer failed; the next run tries again',
        );
        reports.push({ name: reclaimer.name, reclaimed: 0, detail: { failed: 1 } });
      }
    }
    logger.info({ reports }, 'reclaimed');
    return reports;
  }

  /** What the cluster's last finished run did; undefined before the first. */
  lastRun(): Promise<ReclaimRun | undefined> {
    return findLastRun(this.setup.store);
  }

  async #runWhenDue(): Promise<{ readonly nextMs: number } | undefined> {
    const { store, instance, options } = this.setup;
    const turn = await beginRun(store, instance, options.everyMs, options.leaseMs);
    if (!turn.begun) return { nextMs: turn.nextMs };
    await endRun(store, instance, await this.run());
    return undefined;
  }
}

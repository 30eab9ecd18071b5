import { type Clock, PeriodicTask, type TidingsLogger } from '@tidings/core';
import type { ParkedKeys } from './parked-keys';
import { alarmOldKeys } from './sql/alarm-old-keys';
import { countParkedKeys, type ParkedCount } from './sql/count-parked-keys';

const PAGE = 100;
const COUNT_LIMIT = 10_000;
const EVERY_MS = 30_000;

/** Tells of keys that have been parked for too long, each once in all processes, and counts those of the store for its health. */
export class ParkedKeysWatch {
  readonly #task: PeriodicTask;
  #count: ParkedCount = { parked: 0, dead: 0, old: 0 };

  constructor(
    private readonly parkedKeys: ParkedKeys,
    clock: Clock,
    private readonly logger: TidingsLogger,
  ) {
    this.#task = new PeriodicTask({
      name: 'parked keys watch',
      everyMs: Math.min(EVERY_MS, parkedKeys.options.alarmAfterMs),
      runOnce: () => this.runOnce(),
      clock,
      logger,
    });
  }

  /** As of the last run: at most half a minute ago. */
  get count(): ParkedCount {
    return this.#count;
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  async runOnce(): Promise<{ again: boolean }> {
    const { store, options } = this.parkedKeys;
    this.#count = await countParkedKeys(store, options.alarmAfterMs, COUNT_LIMIT);
    const old = await alarmOldKeys(store, options.alarmAfterMs, PAGE);
    for (const key of old)
      this.logger.warn(key, 'a key has been parked for too long: redrive or discard its dead letter');
    return { again: old.length === PAGE };
  }
}

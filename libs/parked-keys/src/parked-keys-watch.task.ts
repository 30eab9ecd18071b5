import { type Clock, type Closeable, PeriodicTask, type TidingsLogger } from '@tidings/core';
import { parkedChannel } from './parked-channel';
import type { ParkedKeys } from './parked-keys';
import { alarmOldKeys } from './sql/alarm-old-keys';
import { countParkedKeys, type ParkedCount } from './sql/count-parked-keys';

const PAGE = 100;
const COUNT_LIMIT = 10_000;
const EVERY_MS = 30_000;
/** While no key is known to be parked. */
const IDLE_MS = 300_000;

/**
 * Tells of keys that have been parked for too long, each once in all processes, and counts those of the store for its health. It counts while keys are
 * parked, and begins when somebody parks one.
 */
export class ParkedKeysWatch {
  readonly #task: PeriodicTask;
  #listening: Promise<Closeable> | undefined;
  #count: ParkedCount = { parked: 0, dead: 0, old: 0 };

  constructor(
    private readonly parkedKeys: ParkedKeys,
    clock: Clock,
    private readonly logger: TidingsLogger,
  ) {
    this.#task = new PeriodicTask({
      name: 'parked keys watch',
      everyMs: Math.min(IDLE_MS, parkedKeys.options.alarmAfterMs),
      runOnce: () => this.runOnce(),
      clock,
      logger,
    });
  }

  /** As of the last run: at most half a minute ago while keys are parked. */
  get count(): ParkedCount {
    return this.#count;
  }

  async start(): Promise<void> {
    const { store } = this.parkedKeys;
    const listening = (this.#listening ??= store.listen(parkedChannel(store), () => {
      if (this.#count.parked === 0) this.#task.wake(); // else it counts soon enough
    }));
    await listening;
    if (this.#listening === listening) this.#task.start(); // else stopped meanwhile
  }

  async stop(): Promise<void> {
    const listening = this.#listening;
    this.#listening = undefined;
    await this.#task.stop();
    await (await listening)?.close();
  }

  async runOnce(): Promise<{ again: boolean; nextMs?: number }> {
    const { store, options } = this.parkedKeys;
    this.#count = await countParkedKeys(store, options.alarmAfterMs, COUNT_LIMIT);
    if (this.#count.parked === 0) return { again: false };
    const old = await alarmOldKeys(store, options.alarmAfterMs, PAGE);
    for (const key of old)
      this.logger.warn(key, 'a key has been parked for too long: redrive or discard its dead letter');
    return { again: old.length === PAGE, nextMs: EVERY_MS };
  }
}

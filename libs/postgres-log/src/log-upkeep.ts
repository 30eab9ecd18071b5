import type { Clock, Closeable, TidingsLogger } from '@tidings/core';
import { DueMover } from './due-mover';
import type { MessageLog } from './message-log';
import { type ResolvedRotationOptions, SegmentRotation } from './segment-rotation';
import type { WatchedUpkeep } from './watched';
import type { Look } from './sql/look';

export interface UpkeepOptions {
  readonly pollMs: number;
  readonly rotation: ResolvedRotationOptions;
}

/** The mover is told when there is something to move; by itself it looks this often only. */
const MOVER_MS = 86_400_000;

/**
 * What a log needs beside readers, done once in a process whoever asks for it (a relay, a transport that reads the log): moves messages that have
 * become due, turns the ring of segments. Where its users differ, the shorter times and the longer archive count.
 */
export class LogUpkeep implements WatchedUpkeep {
  readonly #users = new Set<UpkeepOptions>();
  readonly #mover: DueMover;
  #rotation: SegmentRotation | undefined;
  #rotatedAt = -Infinity;
  #turning: Promise<void> = Promise.resolve();
  #changing: Promise<void> = Promise.resolve();

  constructor(
    private readonly log: MessageLog,
    private readonly tools: { readonly clock: Clock; readonly logger: TidingsLogger },
  ) {
    this.#mover = new DueMover(log, { ...tools, pollMs: MOVER_MS });
  }

  /** Rejects when the store cannot be reached. Each user closes what it got; safe twice. */
  async join(given: UpkeepOptions): Promise<Closeable> {
    const user = { ...given };
    this.#users.add(user);
    try {
      await this.#align();
    } catch (thrown) {
      this.#users.delete(user);
      throw thrown;
    }
    const close = async (): Promise<void> => {
      if (this.#users.delete(user)) await this.#align();
    };
    return { close };
  }

  get pollMs(): number {
    const { pollMs, rotation } = this.#options;
    return Math.min(pollMs, rotation.everyMs);
  }

  rotation(): ResolvedRotationOptions | undefined {
    const { rotation } = this.#options;
    return this.tools.clock.monotonic() - this.#rotatedAt >= rotation.everyMs ? rotation : undefined;
  }

  answered({ dueMs, turn }: Pick<Look, 'dueMs' | 'turn'>): void {
    if (dueMs !== null && dueMs <= this.pollMs) this.#mover.wake();
    if (turn) this.#turning = this.#turning.then(() => this.#turn());
  }

  async #turn(): Promise<void> {
    this.#rotatedAt = this.tools.clock.monotonic();
    try {
      await this.#rotation?.runOnce();
    } catch (err) {
      this.tools.logger.error(
        { schema: this.log.store.schema, err },
        "the log's next segment could not be emptied; will try again",
      );
    }
  }

  /** Runs while there are users; one change at a time. */
  #align(): Promise<void> {
    const change = this.#changing.then(async () => {
      if (this.#users.size > 0) {
        this.#rotation = new SegmentRotation(this.log.store, this.tools, this.#options.rotation);
        await this.#mover.start();
        await this.log.watch.tend(this);
      } else {
        await this.log.watch.tend(undefined);
        await this.#mover.stop();
        await this.#turning;
      }
    });
    this.#changing = change.catch(() => undefined);
    return change;
  }

  get #options(): UpkeepOptions {
    const users = [...this.#users];
    const least = (of: (options: UpkeepOptions) => number): number => Math.min(...users.map(of));
    return {
      pollMs: least(({ pollMs }) => pollMs),
      rotation: {
        everyMs: least(({ rotation }) => rotation.everyMs),
        afterMs: least(({ rotation }) => rotation.afterMs),
        fullBytes: least(({ rotation }) => rotation.fullBytes),
        archiveMs: Math.max(...users.map(({ rotation }) => rotation.archiveMs)),
      },
    };
  }
}

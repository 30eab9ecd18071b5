import type { Closeable } from '@tidings/core';
import type { Seat } from './log-watch';
import type { MessageLog } from './message-log';
import { listSubscriptionControls } from './sql/list-subscription-controls';
import type { SubscriptionControl } from './subscription-control';
import type { ReaderAnswer, ReaderQuestion, WatchedReader } from './watched';

export type ControlsListener = (controls: readonly SubscriptionControl[]) => void;

/** When no signal came: what a process's readers take between two looks as well. */
const POLL_MS = 5_000;

/** What it asks of a look is in every answer. */
const NOTHING: ReaderQuestion = {
  member: undefined,
  leaseMs: POLL_MS,
  renew: [],
  idle: [],
  readers: [],
  transport: undefined,
};

/**
 * Tells a process what operators decide of subscriptions, wherever they do so: at once by a signal, at the next look otherwise. The look is the one
 * that the log's readers share, and the table is read only when a look found it changed.
 */
export class ControlFollower implements WatchedReader {
  #seat: Seat | undefined;
  #listening: Closeable | undefined;
  /** The sum of changes that was last told of. */
  #told: string | undefined;

  constructor(
    private readonly log: MessageLog,
    private readonly listener: ControlsListener,
  ) {}

  /** Resolves when the listener was told what is in force. Rejects when the store cannot be reached. */
  async start(): Promise<void> {
    try {
      this.#listening = await this.log.signals.listen(({ kind }) => {
        if (kind === 'controls' || kind === 'lost') this.#seat?.wake();
      });
      this.#seat = this.log.watch.join(this);
      await this.#seat.look();
    } catch (thrown) {
      await this.stop();
      throw thrown;
    }
  }

  /** Safe twice. */
  async stop(): Promise<void> {
    const [seat, listening] = [this.#seat, this.#listening];
    this.#seat = undefined;
    this.#listening = undefined;
    await seat?.leave();
    await listening?.close();
  }

  question(): ReaderQuestion {
    return NOTHING;
  }

  async answered({ controls }: ReaderAnswer): Promise<number> {
    if (controls !== this.#told) {
      this.listener(await listSubscriptionControls(this.log.store));
      this.#told = controls;
    }
    return POLL_MS;
  }

  /** The watch has told of it, and looks again: until then what was decided before stays in force. */
  failed(): void {}
}

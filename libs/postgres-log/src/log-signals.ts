import { randomUUID } from 'node:crypto';
import { asError, type Clock, type Closeable, type Store, type TidingsLogger } from '@tidings/core';
import { notifyReaders } from './sql/notify-readers';

export interface LogSignal {
  /**
   * `messages`: something was appended; `due`: something was filed for later; `members`: somebody joined, left or handed lanes back; `controls`:
   * something was decided of a subscription; `lost`: signals may have been missed.
   */
  readonly kind: 'messages' | 'due' | 'members' | 'controls' | 'lost';
  /** With `messages`: a destination and its lanes, bit n for lane n. */
  readonly destination?: number;
  readonly lanes?: bigint;
  /** With `members`: whose. */
  readonly name?: string;
}

type Listener = (signal: LogSignal) => void;

/** Sent as if a reader of this name had changed, which there is not: a process of the version before must be able to read it. */
const CONTROLS = '*controls';

/** Between two NOTIFYs under load; what comes meanwhile is merged into the next. */
const LONGEST_GAP_MS = 8;

/**
 * Wakes the readers of a store: those of this process at once, after the commit; those of others by a NOTIFY that is sent outside of the business
 * transaction (inside, it would serialise commits) and debounced. A signal is a hint: when one is lost, the reader's poll finds the messages.
 *
 * NOTIFY's payload is limited to 8,000 bytes; a signal has up to 30, so a merge that grows too long is sent as `*`, "look everywhere".
 */
export class LogSignals {
  readonly #listeners = new Set<Listener>();
  readonly #sender = randomUUID().slice(0, 8);
  readonly #pending = new Map<number, bigint>();
  #names = new Set<string>();
  #due = false;
  #subscription: Promise<Closeable> | undefined;
  #sending: Promise<void> | undefined;

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly logger: TidingsLogger,
  ) {}

  /** The channel that processes with the same schema share; 63 bytes at most, as any identifier. */
  get #channel(): string {
    return `tidings:${this.store.schema}`.slice(0, 60);
  }

  appended(destination: number, lane: number): void {
    const lanes = 1n << BigInt(lane);
    this.#pending.set(destination, (this.#pending.get(destination) ?? 0n) | lanes);
    this.#tell({ kind: 'messages', destination, lanes });
    this.#send();
  }

  filedForLater(): void {
    this.#due = true;
    this.#tell({ kind: 'due' });
    this.#send();
  }

  membersChanged(name: string): void {
    this.#names.add(name);
    this.#send();
  }

  controlsChanged(): void {
    this.#tell({ kind: 'controls' });
    this.membersChanged(CONTROLS);
  }

  /** Listens from now on; resolves when other processes' signals arrive too. */
  async listen(listener: Listener): Promise<Closeable> {
    this.#listeners.add(listener);
    this.#subscription ??= this.store.listen(this.#channel, (payload) => this.#received(payload));
    await this.#subscription.catch((error: unknown) => {
      this.#listeners.delete(listener);
      this.#subscription = undefined;
      throw error;
    });
    return { close: () => this.#leave(listener) };
  }

  /** Resolves when what was told so far has been sent, or given up. */
  async flush(): Promise<void> {
    await this.#sending;
  }

  async #leave(listener: Listener): Promise<void> {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
    const subscription = this.#subscription;
    this.#subscription = undefined;
    await (await subscription)?.close();
  }

  #tell(signal: LogSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  #received(payload: string | undefined): void {
    if (payload === undefined) return this.#tell({ kind: 'lost' });
    const [sender, ...parts] = payload.split(' ');
    if (sender === this.#sender) return;
    for (const part of parts) {
      const [head, lanes] = part.split(':');
      if (part === 'due') this.#tell({ kind: 'due' });
      else if (part === '*') this.#tell({ kind: 'lost' });
      else if (head === 'm') this.#tell(aboutName(decodeURIComponent(lanes ?? '')));
      else this.#tell({ kind: 'messages', destination: Number(head), lanes: BigInt(`0x${lanes}`) });
    }
  }

  get #waiting(): boolean {
    return this.#pending.size > 0 || this.#names.size > 0 || this.#due;
  }

  /**
   * One sender at a time. A signal leaves at once; those that come while it is on its way leave together, after a gap that doubles as long as there
   * are such. So a message at a time is told of without delay, and thousands a second cost about a hundred NOTIFYs.
   */
  #send(): void {
    this.#sending ??= (async () => {
      try {
        for (let gapMs = 1; this.#waiting; gapMs = Math.min(LONGEST_GAP_MS, gapMs * 2)) {
          const parts = [...this.#pending].map(([destination, lanes]) => `${destination}:${lanes.toString(16)}`);
          parts.push(...[...this.#names].map((name) => `m:${encodeURIComponent(name)}`));
          if (this.#due) parts.push('due');
          this.#due = false;
          this.#pending.clear();
          this.#names = new Set();
          const text = parts.join(' ');
          await notifyReaders(this.store, this.#channel, `${this.#sender} ${text.length < 7_000 ? text : '*'}`);
          if (this.#waiting) await this.clock.wait(gapMs);
        }
      } catch (thrown) {
        this.logger.debug(
          { err: asError(thrown) },
          'a wake-up was not sent; readers of other processes find the messages by their poll',
        );
      } finally {
        this.#sending = undefined;
      }
    })();
  }
}

const aboutName = (name: string): LogSignal => (name === CONTROLS ? { kind: 'controls' } : { kind: 'members', name });

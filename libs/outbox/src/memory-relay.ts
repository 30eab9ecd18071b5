import {
  asError,
  type Clock,
  type DeadLetterSink,
  laneOf,
  parseOptions,
  type Publisher,
  type TidingsLogger,
} from '@tidings/core';
import type { MemoryLog, UnsentMessage } from './memory-log';
import { type OutboxRelayOptions, outboxRelayOptions, type ResolvedOutboxRelayOptions } from './outbox-relay.options';
import { RelayedBatch } from './relayed-batch';

export interface MemoryRelaySetup {
  readonly log: MemoryLog;
  readonly publisherOf: (transport: string) => Publisher | undefined;
  readonly deadLetters: DeadLetterSink;
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  readonly options?: OutboxRelayOptions;
}

/** Passes on what a MemoryLog holds: lane by lane in the order of the commits, with the back-off and the burials of the relay on a database. */
export class MemoryRelay {
  readonly lanes = 0;
  readonly failing: Error | undefined = undefined;
  readonly #options: ResolvedOutboxRelayOptions;
  readonly #running = new Map<string, Promise<void>>();
  #stopping: AbortController | undefined;
  #forget: (() => void) | undefined;
  #sequence = 0;

  /** @throws OptionsError for a bad option. */
  constructor(private readonly setup: MemoryRelaySetup) {
    this.#options = parseOptions('relay', outboxRelayOptions, setup.options ?? {});
  }

  /** Safe twice. */
  async start(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = new AbortController();
    const { log } = this.setup;
    const forget = [log.onAppended((one) => this.#take(one)), log.onRescheduled((one) => this.#take([one]))];
    this.#forget = () => forget.forEach((end) => end());
    this.#take(log.unsent);
  }

  /** Waits for the confirms under way; the rest stays in the log. Safe twice. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#stopping = undefined;
    this.#forget?.();
    await Promise.all(this.#running.values());
  }

  #take(unsent: readonly UnsentMessage[]): void {
    for (const one of unsent) {
      if (one.dueMs === undefined) this.#inLane(one);
      else void this.#later(one, one.dueMs);
    }
  }

  async #later(unsent: UnsentMessage, dueMs: number): Promise<void> {
    const { clock } = this.setup;
    const signal = this.#stopping!.signal;
    for (let leftMs; (leftMs = dueMs - clock.now()) > 0 && !signal.aborted;) await clock.wait(leftMs, signal);
    if (!signal.aborted && this.setup.log.holds(unsent)) this.#inLane(unsent); // else it was cancelled, or waits anew
  }

  /** Each lane is a queue: a message that cannot leave holds up those behind it, and no other lane. */
  #inLane(unsent: UnsentMessage): void {
    const { transport, message } = unsent;
    const lane = JSON.stringify([transport, message.topic, laneOf(message)]);
    const signal = this.#stopping!.signal;
    const sent = (this.#running.get(lane) ?? Promise.resolve()).then(() => this.#send(unsent, signal));
    this.#running.set(lane, sent);
    void sent.then(() => this.#running.get(lane) === sent && this.#running.delete(lane));
  }

  async #send(unsent: UnsentMessage, stopping: AbortSignal): Promise<void> {
    const { log, publisherOf, clock, logger } = this.setup;
    const { transport, message, optional } = unsent;
    const stamp = { sequence: ++this.#sequence, epoch: 1, epochStart: 1 };
    const messages = [{ message, attempts: 0, optional, redelivered: false, stamp, relayed: undefined }];
    const batch = { destination: 0, messages, stopping, stillOurs: async () => true };
    for (let done = 0; done === 0 && !stopping.aborted;) {
      try {
        const publisher = publisherOf(transport)!;
        done = await new RelayedBatch(batch, '', {
          ...this.setup,
          transport,
          publisher,
          parking: undefined,
          options: this.#options,
        }).run();
        if (done > 0) log.remove(unsent);
      } catch (thrown) {
        logger.error({ transport, message: message.id, err: asError(thrown) }, 'a message could not be relayed; it is tried again'); // prettier-ignore
        await clock.wait(this.#options.maxBackoffMs, stopping);
      }
    }
  }
}

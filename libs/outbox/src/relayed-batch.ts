import {
  type Clock,
  type DeadLetterSink,
  errorChain,
  type OutgoingMessage,
  type Publisher,
  type PublishResult,
  type TidingsLogger,
  timestampOf,
} from '@tidings/core';
import type { LaneBatch, LoggedMessage } from '@tidings/postgres-log';
import type { ResolvedOutboxRelayOptions } from './outbox-relay.options';

export interface RelaySetup {
  readonly transport: string;
  readonly publisher: Publisher;
  readonly deadLetters: DeadLetterSink;
  readonly options: ResolvedOutboxRelayOptions;
  /** This process, for the dead letter's story. */
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

interface Pending {
  readonly outgoing: OutgoingMessage;
  attempts: number;
  readonly since: number;
}

type Failed = Extract<PublishResult, { outcome: 'failed' }>;

/**
 * Publishes one batch of a lane until each message is confirmed or buried. What failed for a while stays at the front and is tried again after a
 * back-off, with everything of its key behind it: what was confirmed is not sent again, so a failure in the middle costs no copies.
 *
 * Order: the transport keeps it within a call; a broker that refuses one message and takes a later one of the same key (a queue with
 * `overflow: reject-publish`) can swap the two, and only such a broker can.
 */
export class RelayedBatch {
  #pending: Pending[];

  constructor(
    private readonly batch: LaneBatch,
    group: string,
    private readonly setup: RelaySetup,
  ) {
    const since = setup.clock.monotonic();
    this.#pending = batch.messages.map((logged) => ({ outgoing: outgoingOf(logged, group), attempts: 0, since }));
  }

  /** Resolves with how many, from the front, are done. Fewer than all only when the lane must be left. */
  async run(): Promise<number> {
    const { batch, setup } = this;
    const { backoffMs, maxBackoffMs } = setup.options;
    for (let turn = 0; this.#pending.length > 0; turn++) {
      if (turn > 0) {
        await setup.clock.wait(Math.min(maxBackoffMs, backoffMs * 2 ** (turn - 1)), batch.stopping);
        if (batch.stopping.aborted || !(await batch.stillOurs())) break;
      }
      const results = await setup.publisher.publish(this.#pending.map(({ outgoing }) => outgoing));
      const left = await Promise.all(
        this.#pending.map(async (pending, index) => !(await this.#isDone(pending, results[index]!))),
      );
      this.#pending = this.#pending.filter((_, index) => left[index]);
    }
    const [first] = this.#pending;
    return first
      ? batch.messages.findIndex(({ message }) => message === first.outgoing.message)
      : batch.messages.length;
  }

  async #isDone(pending: Pending, result: PublishResult): Promise<boolean> {
    if (result.outcome === 'confirmed') return true;
    pending.attempts += 1;
    const { clock, options, logger, transport } = this.setup;
    const { id, topic } = pending.outgoing.message;
    const hopeless =
      result.reason === 'too-large' ||
      result.reason === 'refused' ||
      (result.reason === 'unroutable' && clock.monotonic() - pending.since >= options.routeGraceMs);
    if (pending.attempts === 1 || hopeless) {
      const problem = hopeless
        ? 'a message cannot be published and is dead-lettered'
        : 'a message was not published; it will be tried again';
      logger.warn({ transport, topic, message: id, reason: result.reason, err: result.error }, problem);
    }
    return hopeless && this.#bury(pending, result);
  }

  /** False when the dead letter could not be stored: the message stays in the log and is tried again. */
  async #bury({ outgoing, attempts }: Pending, { reason, error }: Failed): Promise<boolean> {
    const { deadLetters, transport, instance, clock, logger } = this.setup;
    const { message, group } = outgoing;
    try {
      await deadLetters.bury({
        message,
        direction: 'outbound',
        place: `${transport}/${message.topic}`,
        transport,
        ...(group !== undefined && { group }),
        reason: `${reason}: ${error.message}`,
        attempts,
        failures: [{ attempt: attempts, at: timestampOf(clock.now()), instance, errors: errorChain(error) }],
      });
      return true;
    } catch (err) {
      logger.error(
        { transport, message: message.id, err },
        'a dead letter could not be stored; its message waits in the log',
      );
      return false;
    }
  }
}

const outgoingOf = ({ message, stamp, attempts, optional }: LoggedMessage, group: string): OutgoingMessage => ({
  message,
  stamp,
  attempts,
  route: optional ? 'optional' : 'required',
  ...(group && { group }),
});

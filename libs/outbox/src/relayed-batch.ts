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
import type { ParkedLanes } from './parked-lanes';

export interface RelaySetup {
  readonly transport: string;
  readonly publisher: Publisher;
  readonly deadLetters: DeadLetterSink;
  /** Undefined: what follows a message that cannot be published goes on without it. */
  readonly parking: ParkedLanes | undefined;
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
 * A key whose head is buried is parked, and what comes behind it in later calls waits there, in order, until the letter is redriven or discarded; it is
 * durable there before the cursor moves. What was confirmed in the same call as the head's refusal is out already.
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
      const sent = await this.#free();
      const results = await setup.publisher.publish(sent.map(({ outgoing }) => outgoing));
      const gone = new Set<Pending>();
      const heads = new Set<string>(); // keys that were parked in this turn: what else failed of them waits behind, and is no letter
      for (const [index, pending] of sent.entries()) {
        const result = results[index]!;
        const { key } = pending.outgoing.message;
        if (result.outcome === 'confirmed') gone.add(pending);
        else if ((key === null || !heads.has(key)) && (await this.#isBuried(pending, result))) {
          gone.add(pending);
          if (key !== null && setup.parking) heads.add(key);
        }
      }
      this.#pending = this.#pending.filter((pending) => !gone.has(pending));
    }
    const [first] = this.#pending;
    return first
      ? batch.messages.findIndex(({ message }) => message === first.outgoing.message)
      : batch.messages.length;
  }

  /** What may be published now. What waits behind a parked key is done with here; what cannot even wait stays, and with it its lane. */
  async #free(): Promise<Pending[]> {
    const { parking, transport, logger } = this.setup;
    const place = this.#place;
    if (!parking || place === undefined) return this.#pending;
    const before = this.#pending;
    const followed = await parking.follow(place, before.map(({ outgoing }) => outgoing)); // prettier-ignore
    this.#pending = before.filter((_, index) => followed[index] !== 'parked');
    const blocked = followed.filter((one) => one === 'full').length;
    if (blocked > 0)
      logger.warn({ transport, place, messages: blocked }, 'a parked key has too many followers: its lane waits');
    return before.filter((_, index) => followed[index] === 'free');
  }

  get #place(): string | undefined {
    const [first] = this.#pending;
    return first && `${this.setup.transport}/${first.outgoing.message.topic}`;
  }

  async #isBuried(pending: Pending, result: Failed): Promise<boolean> {
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
    const { deadLetters, parking, transport, instance, clock, logger } = this.setup;
    const { message, group } = outgoing;
    const place = `${transport}/${message.topic}`;
    try {
      await deadLetters.bury({
        message,
        direction: 'outbound',
        place,
        transport,
        ...(group !== undefined && { group }),
        reason: `${reason}: ${error.message}`,
        attempts,
        failures: [{ attempt: attempts, at: timestampOf(clock.now()), instance, errors: errorChain(error) }],
      });
      const parked = await parking?.parkDead(place, outgoing, `${reason}: ${error.message}`);
      if (parked === 'full')
        logger.warn({ place, key: message.key }, 'too many keys are parked: this one blocks its lane');
      return parked !== 'full';
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

import {
  asError,
  confirmed,
  failed,
  type OutgoingMessage,
  type Publisher,
  type PublishResult,
  TidingsError,
} from '@tidings/core';
import type { BrokerAdmin } from './broker-admin';
import { type CallFailure, callFailureOf } from './call-failure';
import { PublishingPlaces } from './publishing-places';
import type { Reachability } from './reachability';
import { RocketMqClosedError } from './rocketmq.errors';
import type { RocketMqSettings } from './rocketmq.options';
import { messageGroupOf, OWN_PROPERTIES, type RocketMessage, toRocket } from './rocketmq-mapping';
import type { RocketMqNames } from './rocketmq-names';
import { RocketMqProducer } from './rocketmq-producer';

/** A message made ready for the client. */
export interface Letter extends RocketMessage {
  readonly topic: string;
  readonly messageGroup?: string;
  readonly delay?: number;
}

/** RocketMQ's `maxDelayTimeMills`, as it is by default ("Delay Message": at most 24 hours). */
export const MAX_DELAY_MS = 24 * 3_600_000;
/** Sends of one call that wait for the broker at once. */
const AT_ONCE = 64;

const REASONS: Readonly<Record<CallFailure, Extract<PublishResult, { outcome: 'failed' }>['reason']>> = {
  away: 'transient',
  unknown: 'transient',
  'too-large': 'too-large',
  refused: 'refused',
};

interface Job {
  readonly index: number;
  readonly outgoing: OutgoingMessage;
}

/** One send a message; those of a key one after the other, for RocketMQ keeps the order in which a message group's sends were answered. */
export class RocketMqPublisher implements Publisher {
  readonly places: PublishingPlaces;
  /** Made when it is needed: the client holds a timer from its constructor on, and with it a process that never connects. */
  #producer: RocketMqProducer | undefined;
  readonly #inFlight = new Set<Promise<unknown>>();
  #closed = false;

  constructor(
    private readonly reachability: Reachability,
    admin: BrokerAdmin,
    private readonly names: RocketMqNames,
    private readonly settings: RocketMqSettings,
  ) {
    this.places = new PublishingPlaces(admin, names, settings);
  }

  get #client(): RocketMqProducer {
    return (this.#producer ??= new RocketMqProducer(this.settings));
  }

  /** Without topics the client asks nobody, so this cannot hang. */
  start(): Promise<void> {
    return this.#client.startup();
  }

  /** Refuses `publish` from now on and waits for what is in flight; what settles deliveries still can send. */
  async drain(): Promise<void> {
    this.#closed = true;
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  async end(): Promise<void> {
    await this.drain();
    await this.#producer?.end();
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    if (this.#closed) throw new RocketMqClosedError('publish');
    return this.publishAnyway(messages);
  }

  /** As `publish`, also while the transport closes. Never rejects. */
  publishAnyway(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    return this.#counted(this.#publish(messages));
  }

  /** Never rejects. */
  send(letter: Letter): Promise<PublishResult> {
    return this.#counted(this.#send(letter));
  }

  #counted<Result>(work: Promise<Result>): Promise<Result> {
    this.#inFlight.add(work);
    void work.then(() => this.#inFlight.delete(work));
    return work;
  }

  async #publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    const results: PublishResult[] = [];
    const chains = new Map<string, Job[]>();
    for (const [index, outgoing] of messages.entries()) {
      const { message } = outgoing;
      const chain = JSON.stringify([message.topic, message.key ?? index]);
      const jobs = chains.get(chain) ?? [];
      jobs.push({ index, outgoing });
      chains.set(chain, jobs);
    }
    const waiting = [...chains.values()];
    const work = async (): Promise<void> => {
      for (let jobs = waiting.pop(); jobs; jobs = waiting.pop()) await this.#publishChain(jobs, results);
    };
    waiting.reverse();
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, work));
    return results;
  }

  /** What follows a message of its key that failed for now must not overtake it. */
  async #publishChain(jobs: readonly Job[], results: PublishResult[]): Promise<void> {
    let before: PublishResult | undefined;
    for (const { index, outgoing } of jobs) {
      const result = before ?? (await this.#publishOne(outgoing));
      results[index] = result;
      if (result.outcome === 'failed' && result.reason === 'transient') before = result;
    }
  }

  async #publishOne(outgoing: OutgoingMessage): Promise<PublishResult> {
    try {
      const letter = this.letterOf(outgoing);
      const problem = await this.places.problemOf(
        outgoing,
        letter.topic,
        letter.delay === undefined ? 'FIFO' : 'DELAY',
      );
      return problem ?? (await this.#send(letter));
    } catch (thrown) {
      return failed('refused', asError(thrown)); // a name that RocketMQ cannot carry
    }
  }

  letterOf(outgoing: OutgoingMessage): Letter {
    const { message, group, delayMs = 0 } = outgoing;
    const letter = toRocket(outgoing);
    return {
      ...letter,
      ...(group !== undefined && this.addressed(letter, this.names.group(message.topic, group))),
      ...(delayMs > 0
        ? { topic: this.names.delay(message.topic), delay: delayMs }
        : { topic: this.names.topic(message.topic), messageGroup: messageGroupOf(message) }),
    };
  }

  /** For one group only. As its tag the group's name passes that group's filter, and no other's. */
  addressed({ properties }: Pick<RocketMessage, 'properties'>, group: string): Pick<Letter, 'properties' | 'tag'> {
    return { properties: new Map([...properties, [OWN_PROPERTIES.group, group]]), tag: group };
  }

  async #send(letter: Letter): Promise<PublishResult> {
    const { maxMessageBytes } = this.settings;
    const { body, properties, topic, delay = 0 } = letter;
    if (body.length > maxMessageBytes) {
      const problem = `a message for ${topic}: expected at most ${maxMessageBytes} bytes, found ${body.length}; raise maxMessageBytes and the broker's maxMessageSize, or send a reference`;
      return failed('too-large', new TidingsError('TIDINGS_ROCKETMQ_TOO_LARGE', problem));
    }
    if (delay > MAX_DELAY_MS) {
      const problem = `a message for ${topic}: expected a delay of at most ${MAX_DELAY_MS} ms, found ${delay}; publish it later, or with the outbox`;
      return failed('refused', new TidingsError('TIDINGS_ROCKETMQ_DELAY', problem));
    }
    try {
      await this.#client.send({ ...letter, properties: new Map(properties) });
      this.reachability.works();
      return confirmed;
    } catch (thrown) {
      const failure = callFailureOf(thrown);
      if (failure === 'away') this.reachability.fails(asError(thrown));
      if (failure === 'unknown') this.places.forget(topic);
      return failed(REASONS[failure], asError(thrown));
    }
  }
}

import { asError, backoffMs, CLOSE_MS, endedWithin, type NativeDeadLetter } from '@tidings/core';
import type { FetchedRecord, KafkaClient, KafkaConsumer } from './client/kafka-client';
import type { KafkaSettings } from './kafka.options';
import { letterOf } from './native-dead-letters';

export type Bury = (letter: NativeDeadLetter) => Promise<void>;

/**
 * Empties a group's dead-letter topic into a keeper, one letter at a time: committed when it is buried, so that a crash leaves it where it was. Several
 * processes may do it at once; the topic has one partition, and one of them has it.
 */
export class DeadLetterTaker {
  readonly #stopping = new AbortController();
  #consumer: KafkaConsumer | undefined;
  /** Of the generation that is given up: its letters are somebody else's. */
  #generation = new AbortController();
  #burying: Promise<void> = Promise.resolve();
  #reopening: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(
    private readonly place: { readonly name: string; readonly topic: string; readonly group: string },
    private readonly declare: () => Promise<unknown>,
    private readonly bury: Bury,
    private readonly client: KafkaClient,
    private readonly settings: KafkaSettings,
  ) {}

  async start(): Promise<void> {
    await this.declare();
    const { name } = this.place;
    const consumer = this.client.consumer(
      { groupId: name, topics: [name] },
      {
        beforeJoin: async () => {
          this.#generation.abort();
          await endedWithin(this.settings.clock, this.settings.rebalanceDrainMs, this.#burying);
          this.#generation = new AbortController();
        },
        assigned: () => undefined,
        alive: () => undefined,
        records: (records) => this.#hand(consumer, records),
        crashed: (error) => {
          this.#reopening = this.#reopen(consumer, error);
        },
      },
    );
    this.#consumer = consumer;
    await consumer.start();
  }

  /** Waits for the letter that is being buried; the others stay at the broker. Safe twice. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#generation.abort();
    await this.#reopening;
    await this.#burying;
    if (this.#consumer) await endedWithin(this.settings.clock, 2 * CLOSE_MS, this.#consumer.close());
  }

  async #reopen(crashed: KafkaConsumer, error: Error): Promise<void> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    logger.warn({ topic: this.place.name, err: error }, 'the taker of dead letters ended; it begins anew');
    this.#generation.abort();
    void crashed.close().catch(() => undefined);
    for (let failures = 1; !this.#stopping.signal.aborted; failures++) {
      await clock.wait(backoffMs(failures, reconnectMaxMs), this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      try {
        return await this.start();
      } catch (thrown) {
        logger.error({ topic: this.place.name, err: asError(thrown) }, 'dead letters cannot be taken; it is tried again'); // prettier-ignore
      }
    }
  }

  /** Returns at once, so that the consumer goes on to show that it lives; nothing more is read until all of it is buried. */
  #hand(consumer: KafkaConsumer, records: readonly FetchedRecord[]): Promise<void> {
    const { signal } = this.#generation;
    const [first] = records;
    if (!first || this.#stopping.signal.aborted) return Promise.resolve();
    consumer.pause(first);
    this.#burying = this.#burying.then(async () => {
      for (const record of records) if (!(await this.#buried(consumer, record, signal))) return;
      consumer.resume(first);
    });
    return Promise.resolve();
  }

  /** False when it was given up: the broker has the letter still. Never rejects. */
  async #buried(consumer: KafkaConsumer, record: FetchedRecord, signal: AbortSignal): Promise<boolean> {
    const { clock, logger, reconnectMaxMs } = this.settings;
    const { topic, partition, offset } = record;
    const letter = letterOf(record, this.place.topic);
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.bury(letter);
        await consumer.commit([{ topic, partition, offset: offset + 1, metadata: '' }]);
        return true;
      } catch (thrown) {
        logger.warn({ group: this.place.group, message: letter.message.id, err: asError(thrown) }, 'a dead letter waits: it was not buried'); // prettier-ignore
        await clock.wait(backoffMs(++failures, reconnectMaxMs), signal);
      }
    }
    return false;
  }
}

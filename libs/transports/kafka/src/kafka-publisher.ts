import {
  asError,
  CapabilityError,
  CLOSE_MS,
  confirmed,
  endedWithin,
  failed,
  type OutgoingMessage,
  type Publisher,
  type PublishFailure,
  type PublishResult,
  TidingsError,
} from '@tidings/core';
import { codeOfKafka, type KafkaClient, type KafkaProducer, type KafkaRecord } from './client/kafka-client';
import { KafkaClosedError } from './kafka.errors';
import type { KafkaSettings } from './kafka.options';
import { type KafkaForm, toKafka } from './kafka-mapping';
import type { KafkaNames } from './kafka-names';
import type { KafkaTopics } from './kafka-topics';
import { partitionOfKey } from './partitioner';

/** A record and the topic that it goes to. */
export interface Letter extends KafkaForm {
  readonly place: LetterPlace;
  /** By the topic's own rule, when not by the key. */
  readonly partition?: (partitions: number) => number;
}

export interface LetterPlace {
  readonly name: string;
  /** Makes it where it is missing; the number of its partitions. */
  readonly partitions: () => Promise<number>;
}

type Ready = KafkaRecord & { readonly index: number; readonly bytes: number };

const REASONS: Readonly<Record<string, PublishFailure>> = {
  MESSAGE_TOO_LARGE: 'too-large',
  RECORD_LIST_TOO_LARGE: 'too-large',
  INVALID_TOPIC_EXCEPTION: 'refused',
  TOPIC_AUTHORIZATION_FAILED: 'refused',
  CLUSTER_AUTHORIZATION_FAILED: 'refused',
  INVALID_RECORD: 'refused',
};

/**
 * What goes to one partition by one call goes in one or several requests, one after the other, and after a failure nothing more of that topic: nothing
 * overtakes what was lost. A failure gets a new producer: kafkajs's is of no use after a topic that it knew was deleted.
 */
export class KafkaPublisher implements Publisher {
  readonly #inFlight = new Set<Promise<unknown>>();
  #producer: Promise<KafkaProducer> | undefined;
  #turn = 0;
  #closed = false;
  /** Undefined: the last publish went well. */
  failure: Error | undefined;

  constructor(
    private readonly client: KafkaClient,
    private readonly topics: KafkaTopics,
    private readonly names: KafkaNames,
    private readonly settings: KafkaSettings,
    private readonly kind: string,
  ) {}

  async start(): Promise<void> {
    await this.#connected();
  }

  /** Refuses `publish` from now on and waits for what is in flight. */
  async stop(): Promise<void> {
    this.#closed = true;
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
    const closing = this.#producer?.then((producer) => producer.close());
    this.#producer = undefined;
    if (closing) await endedWithin(this.settings.clock, CLOSE_MS, closing);
  }

  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    if (this.#closed) throw new KafkaClosedError('publish');
    const delayed = messages.find(({ delayMs = 0 }) => delayMs > 0);
    if (delayed) {
      throw new CapabilityError(this.kind, 'delay', 'publish it through an outbox, which keeps it until its time has come'); // prettier-ignore
    }
    return this.send(messages.map((outgoing) => this.#letterOf(outgoing)));
  }

  /** One result a letter, in order; a letter may be the failure of making it. Never rejects, and works on until `stop` has resolved. */
  send(letters: readonly (Letter | PublishResult)[]): Promise<readonly PublishResult[]> {
    const sending = this.#send(letters);
    this.#inFlight.add(sending);
    void sending.then(() => this.#inFlight.delete(sending));
    return sending;
  }

  async #send(letters: readonly (Letter | PublishResult)[]): Promise<readonly PublishResult[]> {
    const results: PublishResult[] = [];
    const byTopic = new Map<string, { readonly place: LetterPlace; readonly indices: number[] }>();
    for (const [index, letter] of letters.entries()) {
      if ('outcome' in letter) results[index] = letter;
      else {
        const { place } = letter;
        const topic = byTopic.get(place.name) ?? { place, indices: [] };
        byTopic.set(place.name, topic);
        topic.indices.push(index);
      }
    }
    await Promise.all(
      [...byTopic.values()].map(async ({ place, indices }) => {
        const late = new TidingsError('TIDINGS_KAFKA_LATE', `kafka: no answer within ${this.settings.confirmTimeoutMs} ms; the message may have arrived all the same`); // prettier-ignore
        const open = new Set(indices);
        const sending = this.#sendTo(place, indices.map((index) => ({ index, letter: letters[index] as Letter })), (index, result) => {
          if (open.delete(index)) results[index] = result;
        }); // prettier-ignore
        await endedWithin(this.settings.clock, this.settings.confirmTimeoutMs, sending);
        for (const index of open) results[index] = failed('transient', late);
        if (open.size > 0) this.failure = late;
        open.clear();
      }),
    );
    return results;
  }

  /** Never rejects. */
  async #sendTo(
    place: LetterPlace,
    letters: readonly { readonly index: number; readonly letter: Letter }[],
    answer: (index: number, result: PublishResult) => void,
  ): Promise<void> {
    const rest = new Set(letters.map(({ index }) => index));
    try {
      const partitions = await place.partitions();
      if (partitions === 0) {
        const error = new TidingsError('TIDINGS_KAFKA_UNROUTABLE', `kafka: there is no topic ${place.name}; start a subscription of the group first, create the topic, or let createTopics`); // prettier-ignore
        for (const index of rest) answer(index, failed('unroutable', error));
        return;
      }
      const records = letters.map(({ index, letter: { key, value, headers, partition } }): Ready => {
        const number = partition
          ? partition(partitions)
          : key
            ? partitionOfKey(key, partitions)
            : this.#turn++ % partitions;
        return { index, bytes: value.length, partition: number, key, value, headers };
      });
      for (const chunk of chunksOf(records, this.settings.maxMessageBytes)) await this.#write(place.name, chunk, answer, rest); // prettier-ignore
      this.failure = undefined;
    } catch (thrown) {
      const error = asError(thrown);
      const code = codeOfKafka(error);
      this.failure = error;
      if (code === 'UNKNOWN_TOPIC_OR_PARTITION') this.topics.forget(place.name);
      for (const index of rest) answer(index, failed(REASONS[code ?? ''] ?? 'transient', error));
    }
  }

  async #write(name: string, chunk: readonly Ready[], answer: (index: number, result: PublishResult) => void, rest: Set<number>): Promise<void> {
    const producing = this.#connected();
    try {
      await (await producing).send(name, chunk);
      for (const { index } of chunk) {
        answer(index, confirmed);
        rest.delete(index);
      }
    } catch (error) {
      const tooLarge = REASONS[codeOfKafka(error) ?? ''] === 'too-large';
      if (tooLarge && chunk.length > 1) {
        for (const record of chunk) await this.#write(name, [record], answer, rest); // the topic takes less than was thought: one of them, or all together
        return;
      }
      if (tooLarge) {
        answer(chunk[0]!.index, failed('too-large', asError(error)));
        rest.delete(chunk[0]!.index);
        return;
      }
      if (this.#producer === producing) this.#producer = undefined;
      // Others may be sending by it still.
      void Promise.allSettled([...this.#inFlight]).then(async () => (await producing).close()).catch(() => undefined);
      throw error;
    }
  } // prettier-ignore

  #connected(): Promise<KafkaProducer> {
    return (this.#producer ??= this.#connect());
  }

  async #connect(): Promise<KafkaProducer> {
    const producer = this.client.producer();
    await producer.connect();
    return producer;
  }

  #letterOf(outgoing: OutgoingMessage): Letter | PublishResult {
    const { message, group } = outgoing;
    const { maxMessageBytes } = this.settings;
    try {
      if (message.payload.byteLength > maxMessageBytes) {
        const problem = `message ${message.id}: expected at most ${maxMessageBytes} bytes, found ${message.payload.byteLength}; raise maxMessageBytes and the topic's max.message.bytes, or send a reference`;
        return failed('too-large', new TidingsError('TIDINGS_KAFKA_TOO_LARGE', problem));
      }
      if (group !== undefined) {
        const name = this.names.group(message.topic, group);
        return { ...toKafka(outgoing), place: { name, partitions: () => this.topics.existing(name) } };
      }
      const place = { name: this.names.topic(message.topic), partitions: () => this.topics.topic(message.topic) };
      const rule = this.settings.topics[message.topic]?.partition;
      if (rule === undefined || rule === 'key') return { ...toKafka(outgoing), place };
      const partition = rule === 'round-robin' ? (count: number) => this.#turn++ % count : (count: number) => checked(rule(message, count), count, message.topic); // prettier-ignore
      return { ...toKafka(outgoing), place, partition };
    } catch (thrown) {
      return failed('refused', asError(thrown)); // a name or a header that Kafka cannot carry
    }
  }
}

function checked(partition: number, partitions: number, topic: string): number {
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition;
  throw new TidingsError(
    'TIDINGS_KAFKA_PARTITION',
    `kafka: topics.${topic}.partition: expected a partition from 0 to ${partitions - 1}, found ${partition}`,
  );
}

/** A request's records of one partition are one batch to the broker, and it limits batches. */
function chunksOf(records: readonly Ready[], bytes: number): Ready[][] {
  const chunks: Ready[][] = [];
  let left = 0;
  for (const record of records) {
    if (chunks.length === 0 || record.bytes > left) {
      chunks.push([]);
      left = bytes;
    }
    chunks.at(-1)!.push(record);
    left -= record.bytes + 512;
  }
  return chunks;
}

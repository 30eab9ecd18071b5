import type { Capabilities } from '@tidings/core';
import type { KafkaSettings } from './kafka.options';

/** The documents are Kafka's, by title; "Documentation" is kafka.apache.org/documentation. */
const ALL: Capabilities = Object.freeze({
  /** Acks of all in-sync replicas. On one node that is one copy, and it is on disk when the operating system writes it ("Replication"). */
  durable: true,
  /** By partition, where the topic's rule is the key. */
  ordered: true,
  /** A group for each process, deleted when it leaves. */
  broadcast: true,
  delay:
    'Kafka ("Documentation", "The Producer" and "The Consumer") gives a record to whoever reads on, at once and in the order of its partition; it knows no delay. Delayed messages wait in the outbox, delayed retries on the group\'s own topic',
  unroutable:
    'Kafka ("Documentation", "Push vs. pull") appends to a log, whoever reads it now or later: it cannot tell that nobody does',
  attempts:
    'Kafka ("Documentation", "Consumer Position") keeps an offset for each group and partition, not how often a record was read: the attempt that a consumer died in is not counted, nor are those of an ordered key before it',
  replay: true,
  deadLetters: true,
  largePayload: true,
  processes: true,
});

export const kafkaCapabilities = ({ acks, maxMessageBytes }: Pick<KafkaSettings, 'acks' | 'maxMessageBytes'>): Capabilities =>
  Object.freeze({
    ...ALL,
    ...(acks !== 'all' && {
      durable: `acks is ${acks}: Kafka ("Producer Configs", acks) ${acks === 0 ? 'does not answer at all' : 'answers before a follower has the record'}, so that what it confirmed is lost with a broker`,
    }),
    ...(maxMessageBytes < 1024 * 1024 && {
      largePayload: `maxMessageBytes is ${maxMessageBytes}; Kafka ("Topic Configs", max.message.bytes) takes more where its topics are made for it`,
    }),
  }); // prettier-ignore

/** With acks of all replicas, as by default. */
export const KAFKA_CAPABILITIES: Capabilities = ALL;

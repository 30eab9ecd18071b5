import { TidingsError } from '@tidings/core';

/** No broker answered: a deployment's mistake, or the cluster is down. */
export class KafkaConnectError extends TidingsError {
  constructor(brokers: readonly string[], cause: Error) {
    super(
      'TIDINGS_KAFKA_CONNECT',
      `kafka: expected an answer from one of ${brokers.join(', ')}, found ${cause.message || cause.name}; check urls, tls and sasl`,
      { cause },
    );
  }
}

/** A topic or group whose name does not fit into Kafka's 249 characters. */
export class KafkaNameError extends TidingsError {
  constructor(readonly found: string) {
    super(
      'TIDINGS_KAFKA_NAME',
      `kafka: expected a topic name of at most 249 characters, found ${found.length} in ${found}; shorten topic, group or prefix`,
    );
  }
}

/** The group has consumers, so that its offsets cannot be moved. */
export class GroupActiveError extends TidingsError {
  constructor(topic: string, group: string, cause: Error) {
    super(
      'TIDINGS_KAFKA_GROUP_ACTIVE',
      `group ${group} on ${topic}: expected no consumer, found one (${cause.message}); stop all consumers of the group, then rewind it`,
      { cause },
    );
  }
}

/** The transport was closed, and is asked to work. */
export class KafkaClosedError extends TidingsError {
  constructor(asked: string) {
    super('TIDINGS_KAFKA_CLOSED', `kafka: ${asked} was asked of a transport that is closed; make a new one`);
  }
}

import {
  asError,
  confirmed,
  failed,
  type OutgoingMessage,
  type Publisher,
  type PublishResult,
  TidingsError,
} from '@tidings/core';
import type { LogEntry, MessageLog } from '@tidings/postgres-log';
import type { ResolvedPostgresOptions } from './postgres.options';

/** Groups are durable: a topic that has one keeps it, so that it is asked for again only after this time. */
const ROUTED_FOR_MS = 5_000;

/** Publishes by appending to the log: confirmed means committed. */
export class PostgresPublisher implements Publisher {
  readonly #routedAt = new Map<string, number>();

  constructor(
    private readonly log: MessageLog,
    private readonly options: Pick<ResolvedPostgresOptions, 'namespace' | 'maxMessageBytes' | 'clock'>,
  ) {}

  /** What goes is appended by one statement, in order; so either all of it is confirmed or all is transient. */
  async publish(messages: readonly OutgoingMessage[]): Promise<readonly PublishResult[]> {
    const refusals = await Promise.all(messages.map((outgoing) => this.#refusal(outgoing)));
    const going = messages.filter((_, index) => !refusals[index]);
    const outcome = await this.#append(going);
    return refusals.map((refusal) => refusal ?? outcome);
  }

  async #append(messages: readonly OutgoingMessage[]): Promise<PublishResult> {
    if (messages.length === 0) return confirmed;
    try {
      await this.log.appendAlone(await Promise.all(messages.map((outgoing) => this.#entryOf(outgoing))));
      return confirmed;
    } catch (thrown) {
      return failed('transient', asError(thrown));
    }
  }

  async #entryOf({ message, group = '', attempts = 0, delayMs = 0, route, stamp }: OutgoingMessage): Promise<LogEntry> {
    const destination = await this.log.destination(this.options.namespace, message.topic, group);
    return { message, destination, fresh: false, attempts, optional: route === 'optional', delayMs, stamp };
  }

  async #refusal({ message, group, route }: OutgoingMessage): Promise<PublishResult | undefined> {
    const { maxMessageBytes, namespace } = this.options;
    if (message.payload.byteLength > maxMessageBytes) {
      const problem = `message ${message.id}: ${message.payload.byteLength} bytes, at most maxMessageBytes (${maxMessageBytes}) are taken`;
      return failed('too-large', new TidingsError('TIDINGS_TOO_LARGE', problem));
    }
    if (route === 'optional') return undefined;
    try {
      if (await this.#reaches(message.topic, group)) return undefined;
    } catch (thrown) {
      return failed('transient', asError(thrown));
    }
    const nobody = group ? `no group ${group} on topic ${message.topic}` : `no group on topic ${message.topic}`;
    return failed(
      'unroutable',
      new TidingsError('TIDINGS_UNROUTABLE', `message ${message.id}: ${namespace} has ${nobody}; subscribe one first`),
    );
  }

  async #reaches(topic: string, group: string | undefined): Promise<boolean> {
    const key = JSON.stringify([topic, group ?? '']);
    const now = this.options.clock.monotonic();
    if (now - (this.#routedAt.get(key) ?? -Infinity) < ROUTED_FOR_MS) return true;
    const readers = await this.log.readersOf(this.options.namespace, topic);
    const reached = group === undefined ? readers.length > 0 : readers.includes(group);
    if (reached) this.#routedAt.set(key, now);
    return reached;
  }
}

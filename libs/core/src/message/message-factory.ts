import { OptionsError } from '../errors';
import { type Clock, timestampOf } from '../scheduling/clock';
import { crc32c } from './checksum';
import type { MessageContract } from './contract';
import { HEADERS } from './headers';
import type { Message } from './message';
import { MessageIds } from './message-id';

export interface PublishOptions {
  /**
   * Default: a new UUIDv7. A caller's own id makes publishing again on the same day (UTC) harmless for inboxes; the day is part of what they know a
   * message by, so on another day it is handled again.
   */
  readonly id?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * The broker gives the message up when it has waited this long unhandled, where it can (RabbitMQ, into the dead letters of a group that is declared
   * so); each retry begins anew. 1 to 4,294,967,295. Not with a key. Default: never.
   */
  readonly ttlMs?: number;
  /** 0 to 255, higher first, where the broker and the group's queue have priorities (RabbitMQ). Not with a key. Default none. */
  readonly priority?: number;
  /** The message that is being handled: its correlation goes on, its id becomes the causation. */
  readonly cause?: Message;
}

/** Makes messages of one source. Stamps this process's time; the log replaces it by the database's. */
export class MessageFactory {
  readonly #ids: MessageIds;

  constructor(
    readonly source: string,
    private readonly clock: Clock,
  ) {
    this.#ids = new MessageIds(() => clock.now());
  }

  /** @throws ContractError when the payload does not fit, OptionsError for a `ttlMs` or `priority` out of its range or beside a key. */
  async create<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    input: Input,
    options: PublishOptions = {},
  ): Promise<Message> {
    const { payload, bytes } = await contract.encode(input);
    const key = contract.keyOf(payload);
    const urgency = urgencyOf(options, key);
    const time = timestampOf(this.clock.now());
    return {
      id: options.id ?? this.#ids.next(),
      source: this.source,
      type: contract.type,
      version: contract.version,
      topic: contract.topic,
      key,
      time,
      contentType: contract.contentType,
      payload: bytes,
      bucket: time.slice(0, 10),
      generation: 0,
      crc32c: crc32c(bytes),
      headers: {
        ...(options.cause && consequence(options.cause)),
        ...options.headers,
        ...urgency,
        ...(contract.refusable && { [HEADERS.refusable]: '1' }),
      },
    };
  }
}

function urgencyOf({ ttlMs, priority }: PublishOptions, key: string | null): Record<string, string> {
  const checked = (name: 'ttlMs' | 'priority', value: number | undefined, from: number, to: number) => {
    if (value === undefined) return {};
    if (!Number.isInteger(value) || value < from || value > to)
      throw new OptionsError(`publish.${name}`, `must be a whole number from ${from} to ${to}, found ${value}`);
    if (key !== null)
      throw new OptionsError(`publish.${name}`, `must not be given for a message with a key, found key ${JSON.stringify(key)}: it would break the order of its key`); // prettier-ignore
    return { [HEADERS[name]]: String(value) };
  };
  return { ...checked('ttlMs', ttlMs, 1, 2 ** 32 - 1), ...checked('priority', priority, 0, 255) };
}

const consequence = (cause: Message): Record<string, string> => {
  const { correlationId, causationId, traceparent, tracestate, tenant } = HEADERS;
  const inherited = [traceparent, tracestate, tenant].flatMap((name) => {
    const value = cause.headers[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inherited),
    [correlationId]: cause.headers[correlationId] ?? cause.id,
    [causationId]: cause.id,
  };
};

import { type Clock, dateOf, timestampOf } from '../scheduling/clock';
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

  /** @throws ContractError when the payload does not fit. */
  async create<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    input: Input,
    options: PublishOptions = {},
  ): Promise<Message> {
    const { payload, bytes } = await contract.encode(input);
    const now = this.clock.now();
    return {
      id: options.id ?? this.#ids.next(),
      source: this.source,
      type: contract.type,
      version: contract.version,
      topic: contract.topic,
      key: contract.keyOf(payload),
      time: timestampOf(now),
      contentType: contract.contentType,
      payload: bytes,
      bucket: dateOf(now),
      generation: 0,
      crc32c: crc32c(bytes),
      headers: { ...(options.cause && consequence(options.cause)), ...options.headers },
    };
  }
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

import {
  asError,
  HEADERS,
  has,
  MemoryStore,
  type Message,
  type MessageContract,
  type MessageFactory,
  type OutgoingMessage,
  type PublishOptions,
  type Publisher,
  type PublishResult,
  type Store,
  type TidingsLogger,
  type Transaction,
  type Transport,
} from '@tidings/core';
import { Recheck, type RecheckPayload } from './callback.contracts';
import type { RecheckMode, ResolvedCallbackOptions } from './callback.options';
import { RecheckNotSentError } from './recheck-not-sent.error';
import { readTransactionNumber } from './sql/read-transaction-number';

export interface RecheckedOptions extends PublishOptions {
  /** Who is to confirm. Default: the groups that subscribed before the message was sent, as the callback service knows them. */
  readonly groups?: readonly string[];
  /** Default: the service's. */
  readonly mode?: RecheckMode;
  /** Default: the service's. */
  readonly recheckAfterMs?: number;
}

/** Publishes as part of one open transaction. */
export interface BoundRecheckingPublisher {
  /**
   * Resolves with the message when its recheck is out (`before`), or when nothing but the commit is missing. The message leaves when the transaction has
   * committed, and never when it rolls back.
   * @throws RecheckNotSentError, ContractError: let the transaction roll back.
   */
  publish<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    payload: Input,
    options?: RecheckedOptions,
  ): Promise<Message>;
}

/** The outbox, as far as it is needed here. */
export interface RecheckOutbox {
  within(handle: unknown): {
    publish<Payload, Input>(
      contract: MessageContract<Payload, Input>,
      payload: Input,
      options?: PublishOptions & { readonly delayMs?: number },
    ): Promise<Message>;
  };
}

export interface RecheckingPublisherSetup {
  readonly store: Store;
  readonly outbox: RecheckOutbox;
  readonly factory: MessageFactory;
  /** Names of the transports that a contract goes to. */
  readonly routes: (contract: {
    readonly type: string;
    readonly topic: string;
  }) => readonly { readonly transport: string }[];
  /** The transport of a name, connected. */
  readonly connect: (name: string) => Promise<Transport>;
  readonly options: ResolvedCallbackOptions;
  /** Groups that a contract expects, by its type, whoever else has subscribed. Default none. */
  readonly expected?: Readonly<Record<string, readonly string[]>>;
  readonly logger: TidingsLogger;
}

/**
 * Sends what is to be confirmed, with few writes: the message goes straight to its transport when the transaction has committed, and a recheck of it, to
 * the callback service, before that. A sender that dies in between has sent no message; the recheck finds that out, asks, and the message is made again.
 */
export class RecheckingPublisher {
  readonly #underWay = new Set<Promise<void>>();

  constructor(private readonly setup: RecheckingPublisherSetup) {}

  /** @throws NotInTransactionError when none is open in `handle`. */
  within(handle: unknown): BoundRecheckingPublisher {
    const transaction = this.setup.store.join(handle);
    return {
      publish: (contract, payload, options = {}) => this.#publish(transaction, contract, payload, options),
    };
  }

  /** Resolves when what committed so far has been handed to its transports, or has failed to be and is left to the recheck. */
  async flush(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #publish<Payload, Input>(
    transaction: Transaction,
    contract: MessageContract<Payload, Input>,
    payload: Input,
    given: RecheckedOptions,
  ): Promise<Message> {
    const { factory, store, options, expected, outbox } = this.setup;
    const { groups = expected?.[contract.type], mode = options.mode, recheckAfterMs = options.recheckAfterMs, ...rest } = given; // prettier-ignore
    const publish = { ...rest, headers: { ...rest.headers, [HEADERS.confirm]: '1' } };
    const number = store instanceof MemoryStore ? null : await readTransactionNumber(transaction);
    const recheckOf = ({ id, source, type, topic, key, bucket, time, headers }: Message): RecheckPayload => ({
      id,
      source,
      type,
      topic,
      key,
      bucket: bucket ?? time.slice(0, 10),
      time,
      headers: { ...headers },
      transaction: number,
      groups: groups ? [...groups] : null,
      afterMs: 0,
    });
    if (mode === 'outbox') {
      const bound = outbox.within(transaction);
      const message = await bound.publish(contract, payload, publish);
      await bound.publish(Recheck, recheckOf(message), { delayMs: recheckAfterMs });
      return message;
    }
    const message = await factory.create(contract, payload, publish);
    const recheck = recheckOf(message);
    if (mode === 'before') {
      const problem = await this.#sendRecheck(recheck, recheckAfterMs);
      if (problem) throw new RecheckNotSentError(message.id, problem);
    }
    transaction.afterCommit(() => {
      if (mode === 'together') this.#start(message, this.#sendRecheck(recheck, recheckAfterMs));
      this.#start(message, this.#send(contract, { message }));
    });
    return message;
  }

  #start(message: Message, sending: Promise<Error | undefined>): void {
    const { logger } = this.setup;
    const done = sending.then((err) => {
      if (err) logger.warn({ message: message.id, type: message.type, err }, 'a committed message was not sent; its recheck will find it missing'); // prettier-ignore
    });
    this.#underWay.add(done);
    void done.finally(() => this.#underWay.delete(done));
  }

  /** By the transport's own delay where it has one, else at once, and the callback service keeps it. */
  async #sendRecheck(recheck: RecheckPayload, afterMs: number): Promise<Error | undefined> {
    try {
      for (const { transport: name } of this.setup.routes(Recheck)) {
        const transport = await this.setup.connect(name);
        const delays = has(transport.capabilities.delay);
        const payload = delays ? recheck : { ...recheck, afterMs };
        const message = await this.setup.factory.create(Recheck, payload);
        const problem = await failureOf(transport, { message, ...(delays && { delayMs: afterMs }) });
        if (problem) return problem;
      }
      return undefined;
    } catch (thrown) {
      return asError(thrown);
    }
  }

  async #send(
    contract: { readonly type: string; readonly topic: string },
    outgoing: OutgoingMessage,
  ): Promise<Error | undefined> {
    try {
      for (const { transport } of this.setup.routes(contract)) {
        const problem = await failureOf(await this.setup.connect(transport), outgoing);
        if (problem) return problem;
      }
      return undefined;
    } catch (thrown) {
      return asError(thrown);
    }
  }
}

async function failureOf(publisher: Publisher, outgoing: OutgoingMessage): Promise<Error | undefined> {
  const [result] = (await publisher.publish([outgoing])) as [PublishResult];
  return result.outcome === 'confirmed' ? undefined : result.error;
}

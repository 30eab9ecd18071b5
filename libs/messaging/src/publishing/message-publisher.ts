import type { Message, MessageContract, MessageFactory, OutgoingMessage, PublishOptions } from '@tidings/core';
import type { Routes } from '@tidings/outbox';
import { PublishFailedError, type UnconfirmedMessage } from '../messaging.errors';
import type { TransportRegistry } from './transport-registry';

export interface DirectPublishOptions extends PublishOptions {
  /** Not before this many milliseconds from now. Needs the transport's capability `delay`. Default 0. */
  readonly delayMs?: number;
  /** `optional`: nobody need be listening. Default `required`: to reach no group is a failure. */
  readonly route?: 'required' | 'optional';
}

/** What a publisher takes for a contract. */
export type InputOf<Contract> = Contract extends MessageContract<infer _Payload, infer Input> ? Input : never;

export interface DirectPublication<Contract extends MessageContract<unknown, never> = MessageContract<unknown, never>> {
  readonly contract: Contract;
  readonly payload: InputOf<Contract>;
  readonly options?: DirectPublishOptions;
}

interface Parcel {
  readonly transport: string;
  readonly outgoing: OutgoingMessage;
}

/**
 * Publishes straight to the transports that a contract's route names, without an outbox: what a roll-back should undo, or a crash must not lose,
 * belongs into the outbox instead.
 */
export class MessagePublisher {
  constructor(
    private readonly factory: MessageFactory,
    private readonly routes: Routes,
    private readonly transports: TransportRegistry,
  ) {}

  /**
   * Resolves with the message when every transport of its route has confirmed it. Concurrent calls are allowed.
   * @throws ContractError when the payload does not fit, PublishFailedError when a transport did not confirm.
   */
  async publish<Payload, Input>(
    contract: MessageContract<Payload, Input>,
    payload: Input,
    options?: DirectPublishOptions,
  ): Promise<Message> {
    const [message] = await this.#publishAll([{ contract, payload: payload as never, ...(options && { options }) }]);
    return message!;
  }

  /**
   * The same for many, in the order given, in one call a transport. All payloads are checked before anything is sent; after a PublishFailedError
   * those messages are out that it does not list.
   */
  publishAll<const Contracts extends readonly MessageContract<unknown, never>[]>(publications: {
    readonly [Index in keyof Contracts]: DirectPublication<Contracts[Index]>;
  }): Promise<readonly Message[]> {
    return this.#publishAll(publications);
  }

  async #publishAll(publications: readonly DirectPublication[]): Promise<readonly Message[]> {
    const messages: Message[] = [];
    const parcels: Parcel[] = [];
    for (const { contract, payload, options = {} } of publications) {
      const message = await this.factory.create(contract, payload, options);
      const { delayMs, route } = options;
      const outgoing: OutgoingMessage = { message, ...(delayMs !== undefined && { delayMs }), ...(route && { route }) };
      messages.push(message);
      parcels.push(...this.routes(contract).map(({ transport }) => ({ transport, outgoing })));
    }
    const names = [...new Set(parcels.map(({ transport }) => transport))];
    const unconfirmed = await Promise.all(
      names.map((name) => this.#send(name, parcels.filter(({ transport }) => transport === name))), // prettier-ignore
    );
    const [first, ...more] = unconfirmed.flat();
    if (first) throw new PublishFailedError([first, ...more]);
    return messages;
  }

  async #send(transport: string, parcels: readonly Parcel[]): Promise<UnconfirmedMessage[]> {
    const publisher = await this.transports.connect(transport);
    const results = await publisher.publish(parcels.map(({ outgoing }) => outgoing));
    return results.flatMap((result, index) => {
      if (result.outcome === 'confirmed') return [];
      const { id, type, topic } = parcels[index]!.outgoing.message;
      return [{ messageId: id, type, transport, topic, reason: result.reason, error: result.error }];
    });
  }
}

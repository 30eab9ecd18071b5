import {
  type Clock,
  type MessageFactory,
  type RequestContract,
  Requester,
  type RequestOptions,
  type TidingsLogger,
} from '@tidings/core';
import type { Routes } from '@tidings/outbox';
import { MessagingConfigurationError, namesOf } from '../messaging.errors';
import type { TransportRegistry } from './transport-registry';

export interface MessageRequesterParts {
  readonly factory: MessageFactory;
  readonly routes: Routes;
  readonly transports: TransportRegistry;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

/** Asks over the transport that a request's route names, and waits for the answer. One address for replies a transport, opened at its first request. */
export class MessageRequester {
  readonly #requesters = new Map<string, Promise<Requester>>();

  constructor(private readonly parts: MessageRequesterParts) {}

  /**
   * Resolves with the payload that the responder (`@OnRequest`) returned. Not part of any transaction: a request that goes out of one which rolls back
   * is handled all the same. Concurrent calls are allowed.
   *
   * @throws RequestTimeoutError after `timeoutMs` (default 10,000), which does not tell whether the request was handled; NoResponderError;
   *   RequestNotSentError; ResponderError with what the responder threw; ContractError; the reason of `signal`; CapabilityError for a transport without
   *   request-reply; MessagingConfigurationError for a route to several transports.
   */
  async request<Payload, Input, Reply>(
    contract: RequestContract<Payload, Input, Reply, never>,
    payload: Input,
    options?: RequestOptions,
  ): Promise<Reply> {
    const [only, ...others] = this.parts.routes(contract);
    if (!only || others.length > 0) {
      throw new MessagingConfigurationError(
        `request ${contract.type}`,
        `expected a route to one transport, found ${namesOf([only, ...others].flatMap((one) => one?.transport ?? []))}; two would both answer`,
      );
    }
    const requester = await this.#requester(only.transport);
    return requester.request(contract, payload, options);
  }

  /** Fails what still waits. Safe twice. */
  async close(): Promise<void> {
    const closing = [...this.#requesters.values()].map(async (made) => (await made.catch(() => undefined))?.close());
    await Promise.all(closing);
  }

  #requester(name: string): Promise<Requester> {
    const known = this.#requesters.get(name);
    if (known) return known;
    const { transports, factory, clock, logger } = this.parts;
    const made = transports.connect(name).then((transport) => new Requester({ transport, factory, clock, logger }));
    this.#requesters.set(name, made);
    made.catch(() => this.#requesters.delete(name)); // the next request tries again
    return made;
  }
}

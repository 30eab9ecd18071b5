import { randomUUID } from 'node:crypto';
import { asError, CapabilityError, ContractError, OptionsError, TidingsError } from '../errors';
import type { TidingsLogger } from '../logger';
import { crc32c } from '../message/checksum';
import { HEADERS } from '../message/headers';
import type { Message } from '../message/message';
import type { MessageFactory, PublishOptions } from '../message/message-factory';
import type { RequestContract } from '../message/request-contract';
import type { Clock } from '../scheduling/clock';
import { hasRequestReply, type ReplyAddress, type RequestReply } from '../transport/powers/request-reply';
import type { Transport } from '../transport/transport';
import { NoResponderError, RequestNotSentError, RequestTimeoutError, ResponderError } from './request.errors';
import { failureIn } from './responder-failure';

export interface RequestOptions extends Pick<PublishOptions, 'id' | 'headers' | 'cause'> {
  /** How long to wait for the reply, connecting and sending included. 1 to 2,147,483,647. Default 10,000. */
  readonly timeoutMs?: number;
  /** Gives the request up when it aborts. What was sent may be handled all the same. */
  readonly signal?: AbortSignal;
}

export interface RequesterParts {
  readonly transport: Transport;
  readonly factory: MessageFactory;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

interface Waiting {
  readonly reply: (message: Message) => void;
  readonly fail: (error: Error) => void;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Asks over one transport and waits for the answer, for any number of requests at once on one address of its own, which is opened at the first request.
 * Nothing of a request is stored here: whoever dies while waiting has not asked.
 */
export class Requester {
  readonly #transport: Transport & RequestReply;
  readonly #waiting = new Map<string, Waiting>();
  #address: Promise<ReplyAddress> | undefined;
  #closed = false;

  /** @throws CapabilityError when the transport cannot carry replies. */
  constructor(private readonly parts: RequesterParts) {
    const { transport } = parts;
    if (!hasRequestReply(transport))
      throw new CapabilityError(transport.kind, 'request-reply', 'ask over a transport that has it');
    this.#transport = transport;
  }

  /**
   * Resolves with the reply's payload.
   *
   * A request is sent once and never again by itself. It is handled like any message, in the transaction of its responder; an answer that is lost on its
   * way, or a responder that dies after its commit, is a time-out here. A message without a key carries the time-out as its `ttlMs`, so that a
   * broker that has such a thing drops what nobody waits for.
   *
   * @throws RequestTimeoutError, NoResponderError, RequestNotSentError, ResponderError (it failed, and says why), ContractError when request or reply
   *   does not fit, NewerVersionError, OptionsError for a bad `timeoutMs`, the signal's reason when it aborts.
   */
  async request<Payload, Input, Reply>(
    contract: RequestContract<Payload, Input, Reply, never>,
    payload: Input,
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal, ...publish }: RequestOptions = {},
  ): Promise<Reply> {
    checkTimeout(timeoutMs);
    signal?.throwIfAborted();
    const created = await this.parts.factory.create(contract, payload, publish);
    const id = randomUUID();
    const ttl = created.key === null ? { [HEADERS.ttlMs]: String(timeoutMs) } : {};
    const request = { ...created, headers: { ...created.headers, ...ttl, [HEADERS.requestId]: id } };
    const reply = await this.#replyTo(id, request, timeoutMs, signal);
    if (reply.crc32c !== null && crc32c(reply.payload) !== reply.crc32c)
      throw new ContractError(
        contract.reply.type,
        reply.version,
        'its bytes are not the ones that were sent (CRC-32C)',
      );
    if (reply.headers[HEADERS.replyFailed] !== undefined)
      throw new ResponderError(contract.type, failureIn(contract.reply.type, reply.payload));
    return contract.reply.decode(reply);
  }

  /** Fails what still waits. Safe twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const error = new TidingsError('TIDINGS_REQUESTER_CLOSED', 'the requester was closed before the reply came');
    for (const { fail } of [...this.#waiting.values()]) fail(error);
    const address = this.#address;
    this.#address = undefined;
    await (await address?.catch(() => undefined))?.close();
  }

  #replyTo(id: string, request: Message, timeoutMs: number, signal: AbortSignal | undefined): Promise<Message> {
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      const end = (settle: () => void): void => {
        if (!this.#waiting.delete(id)) return;
        over.abort();
        signal?.removeEventListener('abort', cancel);
        settle();
      };
      const fail = (error: Error): void => end(() => reject(error));
      const cancel = (): void => fail(asError(signal?.reason));
      this.#waiting.set(id, { reply: (message) => end(() => resolve(message)), fail });
      signal?.addEventListener('abort', cancel, { once: true });
      if (signal?.aborted) return cancel();
      void this.parts.clock
        .wait(timeoutMs, over.signal)
        .then(() => fail(new RequestTimeoutError(request.type, timeoutMs)));
      void this.#send(request, over.signal).then(undefined, (thrown: unknown) => fail(asError(thrown)));
    });
  }

  async #send(request: Message, over: AbortSignal): Promise<void> {
    const address = await this.#opened();
    if (over.aborted) return; // given up while it was opened
    const result = await address.ask({ message: request });
    if (result.outcome === 'confirmed') return;
    throw result.reason === 'unroutable'
      ? new NoResponderError(request.type, result.error)
      : new RequestNotSentError(request.type, result.reason, result.error);
  }

  #opened(): Promise<ReplyAddress> {
    if (this.#closed)
      return Promise.reject(new TidingsError('TIDINGS_REQUESTER_CLOSED', 'the requester is closed; make a new one'));
    this.#address ??= this.#transport
      .openReplies((reply) => this.#received(reply))
      .catch((error: unknown) => {
        this.#address = undefined; // the next request tries again
        throw error;
      });
    return this.#address;
  }

  #received(reply: Message): void {
    const id = reply.headers[HEADERS.requestId];
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (waiting) waiting.reply(reply);
    else
      this.parts.logger.debug({ request: id, type: reply.type }, 'a reply was dropped: nobody waits for it any more');
  }
}

function checkTimeout(timeoutMs: number): void {
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= LONGEST_TIMEOUT_MS) return;
  throw new OptionsError(
    'request.timeoutMs',
    `must be a whole number from 1 to ${LONGEST_TIMEOUT_MS}, found ${timeoutMs}`,
  );
}

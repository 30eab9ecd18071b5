import type { Delivery, Message } from '../message/message';
import type { Transaction } from '../persistence/transaction';
import type { HandlerDefinition } from './handler';

/** What surrounds one attempt. Made anew for each delivery; middlewares fill it in. */
export class MessageContext {
  /** The inbox's transaction while the handler runs: its effects, its publishes and the dedupe row commit together. */
  transaction: Transaction | undefined;
  /** Failures of this delivery so far, immediate retries included; the dead letter tells them all. */
  readonly failures: Failure[] = [];

  /** Runs of the handler so far, this one included: 1 for the first. Immediate retries count, and so do attempts in other processes. */
  attempt: number;

  /** Of a request: the encoded answer of the handler's last run. Sent when the chain has accepted. */
  reply: Uint8Array | undefined;

  constructor(
    readonly delivery: Delivery,
    readonly handler: HandlerDefinition,
    /** Aborts when the handler's time is over, and when the subscription stops and its drain time is over. */
    public signal: AbortSignal,
  ) {
    this.attempt = delivery.attempt;
  }

  get message(): Message {
    return this.delivery.message;
  }
}

export interface Failure {
  readonly attempt: number;
  /** RFC 3339, this process's clock. */
  readonly at: string;
  readonly error: Error;
}

import type { Delivery, Message } from '../message/message';
import type { Transaction } from '../persistence/transaction';
import type { HandlerDefinition } from './handler';

/** What surrounds one attempt. Made anew for each delivery; middlewares fill it in. */
export class MessageContext {
  /** The inbox's transaction while the handler runs: its effects, its publishes and the dedupe row commit together. */
  transaction: Transaction | undefined;
  /** Failures of this delivery so far, immediate retries included; the dead letter tells them all. */
  readonly failures: Failure[] = [];

  constructor(
    readonly delivery: Delivery,
    readonly handler: HandlerDefinition,
    /** Aborts when the subscription stops and its drain time is over. */
    readonly signal: AbortSignal,
  ) {}

  get message(): Message {
    return this.delivery.message;
  }

  /** 1 for the first delivery. */
  get attempt(): number {
    return this.delivery.attempt;
  }
}

export interface Failure {
  readonly attempt: number;
  /** RFC 3339, this process's clock. */
  readonly at: string;
  readonly error: Error;
}

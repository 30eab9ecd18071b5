import type { HandlerDefinition, Message, Transaction } from '@tidings/core';

/** One message of a batch. */
export interface BatchItem<Payload = unknown> {
  /** The message's: what `BatchError` names. */
  readonly id: string;
  readonly payload: Payload;
  readonly message: Message;
  /** 1 for the first. One that has failed before comes alone. */
  readonly attempt: number;
}

/** What surrounds one run of a batch handler. Made anew for each run: a batch may be run again without what failed. */
export class BatchContext {
  /** The one that all of the batch commits in: `managerOf(context)`, `outbox.within(context.transaction)`. Undefined with `atMostOnce`. */
  transaction: Transaction | undefined;

  constructor(
    readonly items: readonly BatchItem[],
    readonly handler: HandlerDefinition,
    /** Aborts when the handler's time is over, and when the subscription stops and its drain time is over. */
    public signal: AbortSignal,
  ) {}
}

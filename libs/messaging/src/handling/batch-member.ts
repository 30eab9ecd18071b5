import { type MessageContext, release, retry, type Settlement } from '@tidings/core';

/** For one that did not get its turn: not tried, so not counted. Lanes hold it until those before it in its key are settled. */
export const heldBack: Settlement = Object.freeze(retry(0, { counted: false }));

/** A message that waits at a gate, and what waits for its settlement: the chain of its own delivery. */
export class BatchMember {
  /** The subscription's: aborts when it stops. The context's may be one of a run whose time was over. */
  readonly stopping: AbortSignal;
  #answered = false;

  constructor(
    readonly payload: unknown,
    readonly context: MessageContext,
    private readonly resolve: (settlement: Settlement) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.stopping = context.signal;
  }

  get answered(): boolean {
    return this.#answered;
  }

  get id(): string {
    return this.context.message.id;
  }

  /** Null when it need not keep an order. After `atMostOnce` nothing comes again, so that nothing can be overtaken. */
  get orderedKey(): string | null {
    const { handler, message } = this.context;
    return handler.subscription.ordered && handler.level !== 'atMostOnce' ? message.key : null;
  }

  settle(settlement: Settlement): void {
    this.#answered = true;
    this.resolve(settlement);
  }

  /** Its attempt has failed: the retry policy decides. */
  fail(error: Error): void {
    this.#answered = true;
    this.reject(error);
  }

  release(): void {
    this.settle(release);
  }
}

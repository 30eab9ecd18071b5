import type { Delivery } from '../message/message';

/**
 * Deliveries that were handed over together. Each goes through a chain of its own; those that get as far as their handler arrive here, and the
 * meeting is complete when each member has arrived or was settled on its way (a bad checksum, say). So nobody waits for a timer, and what runs
 * before the handler may take as long as it likes.
 *
 * Made by `DeliveryLanes`, read by whoever opens one transaction for all that arrived.
 */
export class DeliveryBatch {
  readonly #missing: Set<Delivery['message']>;
  readonly #unsettled = new Set<Delivery['message']>();
  /** By member that somebody of its key waits for: resolves once it has passed, and all before it. */
  readonly #passages = new Map<Delivery['message'], { readonly whole: Promise<unknown>; readonly done: () => void }>();
  readonly #passed = new Set<Delivery['message']>();
  #complete!: () => void;
  /** Resolves when nobody is on his way any more; never rejects. */
  readonly complete = new Promise<void>((resolve) => (this.#complete = resolve));

  constructor(
    /** In the order in which they came; those of one key in the key's order. */
    readonly messages: readonly Delivery['message'][],
  ) {
    this.#missing = new Set(messages);
  }

  /** False when it is no member, or has arrived or left before: a second attempt is alone. */
  arrive({ message }: Delivery): boolean {
    return this.#strike(message);
  }

  /**
   * Resolves when those of its key before it have passed the point that the caller orders, or were settled on their way: the chains of a batch run
   * side by side, and a step that may not be swapped within a key waits here. Whoever calls it calls `passed` for each message.
   */
  async turnOf(message: Delivery['message']): Promise<void> {
    const at = this.messages.indexOf(message);
    const before = this.messages.slice(0, Math.max(at, 0)).findLast(({ key }) => key === message.key);
    if (before) await this.#passage(before);
  }

  passed(message: Delivery['message']): void {
    this.#passed.add(message);
    this.#passages.get(message)?.done();
  }

  #passage(message: Delivery['message']): Promise<unknown> {
    let passage = this.#passages.get(message);
    if (!passage) {
      let done = (): void => undefined;
      const itself = new Promise<void>((resolve) => (done = resolve));
      passage = { whole: Promise.all([itself, this.turnOf(message)]), done };
      this.#passages.set(message, passage);
      if (this.#passed.has(message)) done();
    }
    return passage.whole;
  }

  /** It was settled. Without a final settlement (`settled` false) what follows it in its key must not run now. */
  leave({ message }: Delivery, settled: boolean): void {
    this.passed(message);
    if (!this.#strike(message)) return;
    if (!settled) this.#unsettled.add(message);
  }

  /** True for a member that left before it arrived and will come again. */
  comesAgain(message: Delivery['message']): boolean {
    return this.#unsettled.has(message);
  }

  #strike(message: Delivery['message']): boolean {
    if (!this.#missing.delete(message)) return false;
    if (this.#missing.size === 0) this.#complete();
    return true;
  }
}

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

  /** It was settled. Without a final settlement (`settled` false) what follows it in its key must not run now. */
  leave({ message }: Delivery, settled: boolean): void {
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

import type { GiftSent, GiftView } from '@tidings/gift-contracts';

/** What gifts are published by: the outbox, or with the callback scheme what has them rechecked. Both join the caller's transaction. */
export abstract class GiftPublisher {
  abstract within(handle: unknown): {
    publish(contract: typeof GiftSent, gift: GiftView, options: { readonly id: string }): Promise<unknown>;
  };
}

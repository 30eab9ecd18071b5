import type { SubscriptionName } from './subscription-name';

/** What operators decided of a subscription, for all processes. Times are RFC 3339, by the database's clock. */
export interface SubscriptionControl extends SubscriptionName {
  /** Null: it runs. */
  readonly paused: { readonly since: string; readonly by: string; readonly reason: string } | null;
  /** Deliveries at once in each process. Null: what the code says. */
  readonly concurrency: DecidedNumber | null;
  /** Messages of one key at once in each process. Null: what the code says. */
  readonly keyConcurrency: DecidedNumber | null;
}

export interface DecidedNumber {
  readonly value: number;
  readonly since: string;
  readonly by: string;
}

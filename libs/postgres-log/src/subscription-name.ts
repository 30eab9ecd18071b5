/** A group on a topic, whatever transport it is on. */
export interface SubscriptionName {
  readonly group: string;
  readonly topic: string;
}

import type { Channel, ConsumeMessage } from 'amqplib';

/**
 * Acknowledges what one turn of the event loop has settled, with one frame where it can. A batch's 200 acks were 200 frames, and the broker answered them
 * one by one: what it sent next came in crumbs, and so were the next batches.
 *
 * A cumulative ack takes everything up to its tag, so it goes no further than the oldest delivery that is not settled; what is settled beyond that is
 * acknowledged by itself. Remembers no more than is unsettled: the prefetch.
 */
export class DeliveryAcks {
  /** Tags not settled, the oldest first: a channel counts them up. */
  readonly #unsettled = new Set<number>();
  #accepted: ConsumeMessage[] = [];
  #written: Promise<void> | undefined;

  constructor(private readonly channel: Pick<Channel, 'ack' | 'nack'>) {}

  /** Every delivery of the channel, in the order in which they come. */
  take({ fields }: ConsumeMessage): void {
    this.#unsettled.add(fields.deliveryTag);
  }

  /** Resolves when the ack is written; rejects when the channel has ended. */
  ack(message: ConsumeMessage): Promise<void> {
    this.#accepted.push(message);
    return (this.#written ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#write()));
  }

  /** At once, and back to its queue. */
  giveBack(message: ConsumeMessage): void {
    this.channel.nack(message, false, true);
    this.#unsettled.delete(message.fields.deliveryTag);
  }

  #write(): void {
    const accepted = this.#accepted;
    this.#accepted = [];
    this.#written = undefined;
    for (const { fields } of accepted) this.#unsettled.delete(fields.deliveryTag);
    const [oldest = Infinity] = this.#unsettled;
    let last: ConsumeMessage | undefined;
    for (const message of accepted) {
      const tag = message.fields.deliveryTag;
      if (tag > oldest) this.channel.ack(message);
      else if (!last || tag > last.fields.deliveryTag) last = message;
    }
    if (last) this.channel.ack(last, true);
  }
}

import { accept, type Delivery, type Receive, type Settlement } from '@tidings/core';
import { until } from './until';

export type Answer = (delivery: Delivery, signal: AbortSignal) => Settlement | Promise<Settlement>;

/** A receive that writes down what came and how much of it at once, and answers what the spec says; `accept` by default. */
export class RecordingReceive {
  readonly deliveries: Delivery[] = [];
  /** Handlers running now. */
  running = 0;
  mostAtOnce = 0;
  /** Keys that two handlers had at once: of an ordered subscription there must be none. */
  readonly overlappingKeys: string[] = [];
  readonly #keys = new Set<string>();

  constructor(
    private readonly answer: Answer = () => accept,
    private readonly deadlineMs = 15_000,
  ) {}

  readonly receive: Receive = async (delivery, signal) => {
    const { key } = delivery.message;
    this.deliveries.push(delivery);
    this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    if (key !== null && this.#keys.has(key)) this.overlappingKeys.push(key);
    if (key !== null) this.#keys.add(key);
    try {
      return await this.answer(delivery, signal);
    } finally {
      this.running -= 1;
      if (key !== null) this.#keys.delete(key);
    }
  };

  /** Ids in the order of their deliveries, copies included. */
  get ids(): string[] {
    return this.deliveries.map(({ message }) => message.id);
  }

  /** Resolves when at least `count` deliveries came. */
  async received(count: number, withinMs = this.deadlineMs): Promise<void> {
    await until(`${count} deliveries`, () => this.deliveries.length >= count, { withinMs });
  }

  /** Resolves when each of these messages came at least once. */
  async receivedAll(ids: readonly string[], withinMs = this.deadlineMs): Promise<void> {
    await until(`deliveries of all ${ids.length} messages`, () => ids.every((id) => this.ids.includes(id)), {
      withinMs,
    });
  }
}

export const recordingReceive = (answer?: Answer, deadlineMs?: number): RecordingReceive =>
  new RecordingReceive(answer, deadlineMs);

import type { ActiveSubscription, Subscription } from '../transport/subscriber';
import type { DeliveryLanes } from './delivery-lanes';

/** A subscription whose deliveries run in lanes: what it takes, and how it settles and ends, is its transport's. */
export abstract class LanedSubscription implements ActiveSubscription {
  protected abstract readonly lanes: DeliveryLanes;
  readonly #stopping = new AbortController();
  #ended: Promise<void> | undefined;

  protected constructor(readonly subscription: Subscription) {}

  abstract healthy(): boolean;

  /** What `stop` asks for. Called once, when `stopSignal` is aborted. */
  protected abstract end(drainMs: number): Promise<void>;

  /** Aborts when `stop` is called. */
  protected get stopSignal(): AbortSignal {
    return this.#stopping.signal;
  }

  pause(): void {
    this.lanes.pause();
  }

  resume(): void {
    this.lanes.resume();
  }

  admitOne(): void {
    this.lanes.admitOne();
  }

  setConcurrency(concurrency: number): void {
    this.lanes.setConcurrency(concurrency);
  }

  stop(drainMs: number): Promise<void> {
    this.#stopping.abort();
    return (this.#ended ??= this.end(drainMs));
  }
}

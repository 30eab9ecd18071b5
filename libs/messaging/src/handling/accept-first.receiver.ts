import { accept, type Clock, type Delivery, DeliveryLanes, type Receive, reject, release, type Settlement, type Subscription, type TidingsLogger } from '@tidings/core'; // prettier-ignore

/**
 * Level `atMostOnce`: a delivery is accepted when its handler has a free place, before the handler runs, and never comes again, whatever becomes
 * of it. At most `concurrency` handlers run and as many deliveries wait unaccepted, so that a slow handler slows the broker down and the memory of
 * this process holds no backlog that a crash would lose.
 */
export class AcceptFirstReceiver {
  readonly #lanes: DeliveryLanes;
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #stopping = false;

  constructor(
    subscription: Subscription,
    handle: Receive,
    clock: Clock,
    private readonly logger: TidingsLogger,
  ) {
    this.#free = subscription.concurrency;
    this.#lanes = new DeliveryLanes(subscription, once(handle), clock);
  }

  readonly receive: Receive = async (delivery) => {
    while (this.#free === 0 && !this.#stopping) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#stopping) return release;
    this.#free -= 1;
    void this.#lanes.run(delivery).then((settlement) => {
      this.#free += 1;
      this.#waiting.shift()?.();
      if (settlement.kind !== 'accept') this.#lost(delivery, settlement);
    });
    return accept;
  };

  /** Accepts no more, waits for the handlers that run, aborts their signal after `drainMs`. Safe twice. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    for (const wake of this.#waiting.splice(0)) wake();
    await this.#lanes.stop(drainMs);
  }

  /** Whatever was neither handled nor buried is gone: the log is the last place that can tell. */
  #lost({ message: { id, type } }: Delivery, settlement: Settlement): void {
    const reason = settlement.kind === 'reject' ? settlement.reason : 'this process stopped';
    this.logger.error({ message: id, type, reason }, 'lost: it was accepted before it was handled (atMostOnce)');
  }
}

/** The lanes would run a retried head again in its place; this level never runs a handler twice. */
const once =
  (handle: Receive): Receive =>
  async (delivery, signal) => {
    const settlement = await handle(delivery, signal);
    if (settlement.kind !== 'retry' && settlement.kind !== 'park') return settlement;
    return reject(settlement.error?.message ?? `settled as ${settlement.kind}`, settlement.error);
  };

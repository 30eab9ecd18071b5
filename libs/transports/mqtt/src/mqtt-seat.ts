import { asError } from '@tidings/core';
import type { IPublishPacket } from 'mqtt';
import { openLink } from './mqtt-connection';
import type { MqttLink } from './mqtt-link';
import type { MqttSettings } from './mqtt.options';

export interface SeatPlan {
  readonly number: number;
  readonly clientId: string;
  readonly filters: readonly string[];
  readonly receiveMaximum: number;
  /** False: a broadcast's, nothing is kept while it is away. */
  readonly keepsSession: boolean;
  readonly take: (packet: IPublishPacket, seat: MqttSeat) => void;
}

/**
 * One of a group's sessions, held by this process: connected → ending (takes nothing more, what has begun is settled) → ended. Whatever is not settled by
 * then the broker gives to the next who holds the seat, in its order.
 */
export class MqttSeat {
  readonly #ending = new AbortController();
  readonly #begun = new Set<Promise<void>>();
  /** Settled before the connection was ours to write on. */
  readonly #early: IPublishPacket[] = [];
  #link: MqttLink | undefined;
  #lost = false;

  constructor(
    private readonly plan: SeatPlan,
    private readonly settings: MqttSettings,
  ) {}

  get number(): number {
    return this.plan.number;
  }

  /** What it took can be settled. */
  get alive(): boolean {
    return !this.#lost;
  }

  get connected(): boolean {
    return this.#link?.alive ?? false;
  }

  /** Aborts when no further delivery of this seat may begin here, for it is given away or lost. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Takes the session over from whoever has it, and declares what it is to get. Resolves with what ends the link later. */
  async open(): Promise<{ readonly lost: Promise<Error> }> {
    const { clientId, keepsSession, receiveMaximum, filters, take } = this.plan;
    const link = await openLink(this.settings, {
      clientId,
      keepsSession,
      manual: true,
      receiveMaximum,
      receive: (packet) => {
        if (!this.ending.aborted) take(packet, this);
      },
    });
    void link.lost.then(() => {
      this.#lost = true;
      this.#ending.abort();
    });
    this.#link = link;
    for (const packet of this.#early.splice(0)) link.settle(packet);
    try {
      // What is retained is for a broadcast's consumer, which begins with it; a group has had it.
      if (keepsSession) await link.subscribe(filters, this.settings.qos);
      else await link.subscribeRetained(filters, this.settings.qos);
    } catch (thrown) {
      link.destroy();
      throw thrown;
    }
    return { lost: link.lost };
  }

  /** The work of a delivery that a handler has begun: the seat is not given away before it ends. */
  hold(work: Promise<void>): void {
    this.#begun.add(work);
    void work.then(() => this.#begun.delete(work));
  }

  settle(packet: IPublishPacket): void {
    if (this.#link) this.#link.settle(packet);
    else this.#early.push(packet);
  }

  /** Begins nothing more. */
  end(): void {
    this.#ending.abort();
  }

  /** Begins nothing more, waits for what has begun, and disconnects. */
  async giveAway(): Promise<void> {
    this.end();
    await new Promise<void>((resolve) => setImmediate(resolve)); // what waited for its next attempt may have a copy to send
    while (this.#begun.size > 0) await Promise.all(this.#begun);
    await this.close();
  }

  async close(): Promise<void> {
    this.end();
    try {
      await this.#link?.close();
    } catch (thrown) {
      this.settings.logger.debug({ err: asError(thrown) }, 'a seat was not closed in order');
    }
  }
}

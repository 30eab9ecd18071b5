import { Inject, Injectable } from '@nestjs/common';
import { systemClock } from '@tidings/core';
import { GiftRequested, GiftSent } from '@tidings/gift-contracts';
import { InjectOutbox, type Outbox } from '@tidings/messaging';
import { BACKLOG_LIMIT } from './backlog-limit';

/** A reading lives this long: during a rush thousands of requests share five measurements a second. */
const FRESH_MS = 200;

/** How many gifts and requests are published and not yet passed on: of each topic, what its slowest reader still has before it. */
@Injectable()
export class BacklogGauge {
  #reading: Promise<number> | undefined;
  #takenAt = 0;

  constructor(
    @InjectOutbox() private readonly outbox: Outbox,
    @Inject(BACKLOG_LIMIT) private readonly limit: number,
  ) {}

  read(): Promise<number> {
    const now = systemClock.monotonic();
    if (!this.#reading || now - this.#takenAt > FRESH_MS) {
      this.#takenAt = now;
      this.#reading = this.measure();
      // A failed reading is told to those who wait for it, and not kept for those who come later.
      this.#reading.catch(() => (this.#reading = undefined));
    }
    return this.#reading;
  }

  private async measure(): Promise<number> {
    // Counting stops at twice the limit: how far past it the backlog is makes no difference, and the count costs what it counts.
    const readers = await this.outbox.backlog(2 * this.limit + 1);
    const slowest = (topic: string): number =>
      Math.max(
        0,
        ...readers.filter((one) => one.topic === topic && !isBroadcast(one.reader)).map((one) => one.messages),
      );
    return slowest(GiftRequested.topic) + slowest(GiftSent.topic);
  }
}

/** Readers of one process each (`group#instance`): a dead one is forgotten after a while, and must not refuse anybody's gift until then. */
const isBroadcast = (reader: string): boolean => reader.includes('#');

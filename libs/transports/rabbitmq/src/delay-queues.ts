import type { Clock } from '@tidings/core';
import type { Channel } from 'amqplib';

/** Steps of a decade, in tenths: a delay is late by a third at most, and 84 levels span 10 ms to 23 days. Most are never made. */
const STEPS = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80];

/** The longest delay, 23 days: a queue's life, which is twice the delay, must fit 32 bits. */
export const MAX_DELAY_MS = 2_000_000_000;

/** The level of a delay: the next step up, one or two digits and zeros. */
export function delayLevel(delayMs: number): number {
  const wanted = Math.max(10, Math.ceil(delayMs));
  for (let unit = 1; ; unit *= 10) {
    const step = STEPS.find((candidate) => candidate * unit >= wanted);
    if (step !== undefined) return step * unit;
  }
}

/** Every level, shortest first. */
export const DELAY_LEVELS: readonly number[] = Array.from({ length: 9 }, (_, power) => 10 ** power)
  .flatMap((unit) => STEPS.map((step) => step * unit))
  .filter((level) => level <= MAX_DELAY_MS);

/** A queue is declared again, which renews its life, before its first message of this long ago. */
const RENEW_MS = 60_000;

/**
 * Delay by time-to-live and dead-lettering: in front of an exchange, one queue for each level that is used. All its messages wait equally long, so
 * that none waits behind a longer one; past its time each is dead-lettered into the exchange with the routing key it came with (hence the fanout
 * exchange: through the default one the key would be the queue's name).
 *
 * A level's queue ends itself when unused (`x-expires`), and its exchange with it (auto-delete). Publishing does not count as use, declaring does:
 * so its life is twice its delay and two minutes, renewed by whoever publishes, at least once a minute.  The broker moves dead letters without confirms of its own ("Dead Letter Exchanges"): safe on one node; across a cluster's
 * partition a delayed message can be lost, which is why the outbox's due-later table is the better place for delays that matter.
 */
export class DelayQueues {
  readonly #declared = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** The exchange to publish to instead of `exchange`, when it was declared lately. */
  known(exchange: string, delayMs: number): string | undefined {
    const name = delayName(exchange, delayMs);
    const at = this.#declared.get(name);
    return at !== undefined && this.clock.monotonic() - at < RENEW_MS ? name : undefined;
  }

  /** Declares the level. Idempotent. */
  async declare(channel: Channel, exchange: string, delayMs: number): Promise<void> {
    const level = delayLevel(delayMs);
    const name = delayName(exchange, delayMs);
    const now = this.clock.monotonic();
    await channel.assertExchange(name, 'fanout', { durable: true, autoDelete: true });
    await channel.assertQueue(name, {
      durable: true,
      messageTtl: level,
      deadLetterExchange: exchange,
      expires: 2 * level + 2 * RENEW_MS,
    });
    await channel.bindQueue(name, name, '');
    this.#declared.set(name, now);
  }

  forget(): void {
    this.#declared.clear();
  }
}

/** Of a level's queue, and of its exchange. */
export const delayName = (exchange: string, delayMs: number): string => `${exchange}/delay/${delayLevel(delayMs)}`;

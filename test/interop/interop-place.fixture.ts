import { randomBytes } from 'node:crypto';
import type { Transport } from '@tidings/core';
import { kafka } from '@tidings/kafka';
import { rabbitmq } from '@tidings/rabbitmq';
import { redis, redisList } from '@tidings/redis';

const OPEN = { kafka, rabbitmq, redis, redisList };

/** A prefix of the spec's own at a broker that programs without Tidings use as well. */
export class InteropPlace {
  readonly prefix = `interop-${randomBytes(4).toString('hex')}`;

  constructor(
    private readonly name: keyof typeof OPEN,
    readonly url: string,
  ) {}

  /** Whoever opens it closes it. */
  open(): Transport & { removeTopic(topic: string, groups: readonly string[]): Promise<void> } {
    return OPEN[this.name]({ urls: this.url, prefix: this.prefix });
  }

  async remove(groupsOf: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const cleaner = this.open();
    for (const [topic, groups] of Object.entries(groupsOf)) await cleaner.removeTopic(topic, groups);
    await cleaner.close();
  }
}

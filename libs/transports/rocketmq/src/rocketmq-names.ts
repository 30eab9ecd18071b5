import { RocketMqNameError } from './rocketmq.errors';

/** RocketMQ's limits for topics and groups (TopicValidator). */
const MOST_OF_TOPIC = 127;
const MOST_OF_GROUP = 120;

/** RocketMQ takes letters, digits, `%`, `|`, `-` and `_`. Whatever is no letter, digit or `-` becomes `_` and its bytes in hex, so that two names stay two. */
const part = (name: string): string =>
  name.replace(/[^A-Za-z\d-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `_${byte.toString(16).padStart(2, '0')}`).join(''),
  );

const checked = (name: string, most: number): string => {
  if (name.length > most) throw new RocketMqNameError(name, most);
  return name;
};

/**
 * What topics and consumer groups are called. `__` cannot come out of `part`, so it divides.
 *
 * topic `P__topic`              type FIFO: what is published without a delay
 * topic `P__topic__delay`       type DELAY: what is published with one
 * topic `P__topic__half`        type TRANSACTION: half messages, where they are used
 * topic `P__topic__dead__group` type NORMAL: what the group rejected
 * group `P__topic__group`       the group; its members have one subscription, as RocketMQ asks
 * group `P__topic__group__X`    one instance of a broadcast, or `dead`: who empties the group's dead letters
 *
 * @throws RocketMqNameError for a name that is too long.
 */
export class RocketMqNames {
  constructor(private readonly prefix: string) {}

  topic(topic: string): string {
    return this.#topic(topic);
  }

  delay(topic: string): string {
    return this.#topic(topic, 'delay');
  }

  half(topic: string): string {
    return this.#topic(topic, 'half');
  }

  dead(topic: string, group: string): string {
    return this.#topic(topic, 'dead', group);
  }

  /** Where the broker itself puts what it gave up. */
  brokersDead(topic: string, group: string): string {
    return `%DLQ%${this.group(topic, group)}`;
  }

  group(topic: string, group: string): string {
    return this.#group(topic, group);
  }

  instance(topic: string, group: string, instance: string): string {
    return this.#group(topic, group, instance);
  }

  burier(topic: string, group: string): string {
    return this.#group(topic, group, 'dead');
  }

  #topic(...parts: readonly string[]): string {
    return checked(this.#joined(parts), MOST_OF_TOPIC);
  }

  #group(...parts: readonly string[]): string {
    return checked(this.#joined(parts), MOST_OF_GROUP);
  }

  #joined(parts: readonly string[]): string {
    return [this.prefix, ...parts].map(part).join('__');
  }
}

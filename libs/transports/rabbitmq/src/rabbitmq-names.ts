import { RabbitMqNameError } from './rabbitmq.errors';

/** AMQP allows 255 bytes; the rest is left to the suffixes below. */
const MAX_BYTES = 180;

/** `/` divides the parts, so that group `c` of topic `a.b` and group `b.c` of topic `a` stay two. */
const part = (name: string): string => name.replace(/[%/]/g, encodeURIComponent);

const checked = (name: string): string => {
  if (Buffer.byteLength(name) > MAX_BYTES) throw new RabbitMqNameError(name);
  return name;
};

/**
 * What exchanges and queues are called. Exchange and queue names are two name spaces.
 *
 * exchange `P.topic`              → bound to every group's queues
 * exchange `P.topic/group`        → bound to the group's queues; retries and redrives enter here
 * queue    `P.topic/group`        an unordered group's
 * queue    `P.topic/group/3of8`   an ordered group's fourth
 * queue    `P.topic/group/dead`   rejected messages
 * queue    `P.topic/group/shape`  always empty, see rabbitmq-topology.ts
 * both     `E/delay/2000`         in front of the exchange E, see delay-queues.ts
 *
 * @throws RabbitMqNameError for a name that is too long.
 */
export class RabbitMqNames {
  constructor(private readonly prefix: string) {}

  topic(topic: string): string {
    return checked(`${this.prefix}.${part(topic)}`);
  }

  group(topic: string, group: string): string {
    return checked(`${this.topic(topic)}/${part(group)}`);
  }

  lanes(topic: string, group: string, index: number, count: number): string {
    return `${this.group(topic, group)}/${index}of${count}`;
  }

  instance(topic: string, group: string, instance: string): string {
    return `${this.group(topic, group)}/${instance}`;
  }

  dead(topic: string, group: string): string {
    return `${this.group(topic, group)}/dead`;
  }

  shape(topic: string, group: string): string {
    return `${this.group(topic, group)}/shape`;
  }
}

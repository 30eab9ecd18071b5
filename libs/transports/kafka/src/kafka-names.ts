import { KafkaNameError } from './kafka.errors';

/** Kafka takes letters, digits, `.`, `_` and `-`. What else there is, and a `-` behind another, becomes `--<code point>--`. */
const part = (name: string): string =>
  name.replace(/(?<=-)-|[^\w.-]/gu, (character) => `--${character.codePointAt(0)!.toString(16)}--`);

const checked = (name: string): string => {
  if (name.length > 249) throw new KafkaNameError(name);
  return name;
};

/**
 * What topics and consumer groups are called. Neither `to` nor `dead-letters` can be an escaped character.
 *
 * topic  `P.topic`                        what is published
 * topic  `P.topic--to--group`             what goes to this group alone: its retries and redrives
 * topic  `P.topic--to--group--dead-letters`   what it rejected
 * group  `P.topic--to--group`             its offsets, on both of the topics that it reads
 *
 * @throws KafkaNameError for a name that is too long.
 */
export class KafkaNames {
  constructor(private readonly prefix: string) {}

  topic(topic: string): string {
    return checked(this.prefix === '' ? part(topic) : `${this.prefix}.${part(topic)}`);
  }

  group(topic: string, group: string): string {
    return checked(`${this.topic(topic)}--to--${part(group)}`);
  }

  instance(topic: string, group: string, instance: string): string {
    return `${this.group(topic, group)}--${instance}`;
  }

  dead(topic: string, group: string): string {
    return checked(`${this.group(topic, group)}--dead-letters`);
  }
}

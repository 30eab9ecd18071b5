/** `{`, `}` would move the hash tag, `:` and `/` divide the parts. */
const part = (name: string): string => name.replace(/[%{}:/]/g, encodeURIComponent);

/**
 * What keys are called. The topic is the hash tag of all of its keys: they share a slot of a Redis Cluster, so that one script may touch them all.
 *
 * string `P:{T}:streams`          over how many streams the topic is spread; set once
 * stream `P:{T}:3`                the topic's fourth: what lanes 3, 3 + streams … publish
 * hash   `P:{T}:groups`           group → `shared`, `ordered` or `broadcast`
 * zset   `P:{T}:delayed`          due times; the entries are in the hash `P:{T}:delayed:entries`
 * stream `P:{T}:g:G:3`            for one group only: retries, redrives, what was handed back. A shared group has number 0 alone
 * stream `P:{T}:g:G:dead`         the group's dead letters
 * zset   `P:{T}:g:G:members`      consumer → until when it is alive
 * hash   `P:{T}:g:G:names`        consumer → who has the name
 * hash   `P:{T}:g:G:leases`       number of a stream → who reads it for an ordered group
 * hash   `P:{T}:g:G:deaths`       entry of an ordered group → how many processes died with it
 * set    `P:topics`               of all topics that have groups
 *
 * All but the last are made of `base` inside of scripts.
 */
export class RedisNames {
  constructor(private readonly prefix: string) {}

  get topics(): string {
    return `${this.prefix}:topics`;
  }

  base(topic: string): string {
    return `${this.prefix}:{${part(topic)}}`;
  }

  /** As groups are called at Redis. */
  group(group: string): string {
    return part(group);
  }

  /** One process's of a broadcast. */
  instance(group: string, instance: string): string {
    return `${part(group)}/${part(instance)}`;
  }

  dead(topic: string, group: string): string {
    return `${this.base(topic)}:g:${part(group)}:dead`;
  }
}

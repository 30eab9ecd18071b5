import { createHash } from 'node:crypto';
import { LANES } from '@tidings/core';

/** A topic level of any text: what MQTT gives a meaning, `/`, `+`, `#`, `$` and control characters, is percent-encoded (MQTT 5.0, 4.7). */
const level = (text: string): string => encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd')) || '%';

/** Longer client ids are hashed: brokers limit them (Mosquitto to 65,535 bytes, RabbitMQ to a queue's 255). */
const LONGEST_CLIENT_ID = 150;

/** Names of topics, filters and clients, all below the transport's prefix. */
export class MqttNames {
  constructor(private readonly prefix: string) {}

  /** Where a message is published. A retained one has its key in the name: the broker keeps one a topic. */
  topic(topic: string, lane: number, key?: string): string {
    const name = `${this.prefix}/t/${level(topic)}/${lane}`;
    return key === undefined ? name : `${name}/${level(key)}`;
  }

  /** Where a message for one group is published: a retry or a redrive. */
  group(topic: string, group: string, lane: number): string {
    return `${this.prefix}/g/${level(topic)}/${level(group)}/${lane}`;
  }

  /** True for a message that came by its group's own topic. */
  isGroups(name: string): boolean {
    return name.startsWith(`${this.prefix}/g/`);
  }

  /** What everybody gets who subscribes. */
  all(topic: string): string {
    return `${this.prefix}/t/${level(topic)}/#`;
  }

  /** Of each message one of the group's sessions gets it (MQTT 5.0, 4.8.2). */
  shared(topic: string, group: string): string[] {
    const share = `$share/${this.prefix}.${level(group)}`;
    return [`${share}/${this.all(topic)}`, `${share}/${this.prefix}/g/${level(topic)}/${level(group)}/#`];
  }

  /** A seat's part of all lanes. */
  lanes(topic: string, group: string, seat: number, seats: number): string[] {
    const lanes = Array.from({ length: LANES }, (_, lane) => lane).filter((lane) => lane % seats === seat);
    return lanes.flatMap((lane) => [`${this.topic(topic, lane)}/#`, `${this.group(topic, group, lane)}/#`]);
  }

  dead(topic: string, group: string): string {
    return `${this.prefix}/dead/${level(topic)}/${level(group)}`;
  }

  /** Retained there: in which shape a group was declared. */
  shape(topic: string, group: string): string {
    return `${this.prefix}/shape/${level(topic)}/${level(group)}`;
  }

  /** Retained there as long as the process is connected: which groups' seats it holds. */
  presence(instance: string): string {
    return `${this.prefix}/presence/${instance}`;
  }

  /** The process of a presence topic. */
  instanceOf(name: string): string {
    return name.slice(`${this.prefix}/presence/`.length);
  }

  echo(instance: string): string {
    return `${this.prefix}/echo/${instance}`;
  }

  reply(instance: string, number: number): string {
    return `${this.prefix}/reply/${instance}/${number}`;
  }

  /** The client id that a seat's session has, whoever holds it. */
  seat(topic: string, group: string, seat: number): string {
    return this.#client(`${level(topic)}:${level(group)}:${seat}`);
  }

  instance(instance: string, role: string): string {
    return this.#client(`${role}:${instance}`);
  }

  #client(name: string): string {
    if (name.length <= LONGEST_CLIENT_ID) return `${this.prefix}:${name}`;
    return `${this.prefix}:${createHash('sha256').update(name).digest('base64url')}`;
  }
}

/** Whether a topic is of a filter; the filters of one connection are few. */
export function isOfFilter(name: string, filter: string): boolean {
  const [levels, wanted] = [name.split('/'), filter.split('/')];
  for (const [index, want] of wanted.entries()) {
    if (want === '#') return true;
    if (levels[index] === undefined || (want !== '+' && want !== levels[index])) return false;
  }
  return levels.length === wanted.length;
}

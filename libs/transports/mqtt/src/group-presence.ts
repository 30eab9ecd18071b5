import { randomUUID } from 'node:crypto';
import { asError } from '@tidings/core';
import type { IPublishPacket } from 'mqtt';
import { MqttAwayError } from './mqtt.errors';
import type { MqttSettings } from './mqtt.options';
import type { MqttConnection } from './mqtt-connection';
import type { MqttLink } from './mqtt-link';
import { type PresenceEvent, presenceEvents } from './presence-events';
import { isOfFilter, type MqttNames } from './mqtt-names';

/** One consumer of a group, as all its consumers know of each other. */
export interface Consumer {
  readonly id: string;
  readonly topic: string;
  readonly group: string;
  /** Seats that it is connected to. */
  readonly held: readonly number[];
  /** It gives its seats away and wants none. */
  readonly leaving: boolean;
}

interface Process {
  readonly consumers: readonly Consumer[];
  readonly seenAt: number;
}

/** So many beats without a word, and a process counts as gone: the broker died with it and never told. */
const MISSED_BEATS = 3;

/**
 * Who consumes in which group. Each process keeps one retained message about itself; its last will clears that message, so that the others learn of its
 * death from the broker, at once. What outlived a crash of the broker is found by its silence.
 */
export class GroupPresence {
  readonly #others = new Map<string, Process>();
  readonly #own = new Map<string, Consumer>();
  readonly #listeners = new Set<() => void>();
  readonly #watchers = new Set<(event: PresenceEvent) => void>();
  readonly #stopping = new AbortController();
  readonly #echoes = new Map<string, () => void>();
  #begun: Promise<void> | undefined;
  #beating: Promise<void> | undefined;
  /** The link on which all others are known. */
  #known: MqttLink | undefined;

  constructor(
    private readonly instance: string,
    private readonly connection: MqttConnection,
    private readonly names: MqttNames,
    private readonly settings: MqttSettings,
  ) {
    connection.watch((packet) => this.#echo(packet));
  }

  /** The others are known, as far as the broker knows them. */
  get known(): boolean {
    return this.#known !== undefined && this.#known === this.connection.link;
  }

  /** Of one group, in an order that all its consumers see alike. */
  consumers(topic: string, group: string): Consumer[] {
    const all = [...this.#own.values(), ...[...this.#others.values()].flatMap(({ consumers }) => consumers)];
    return all
      .filter((consumer) => consumer.topic === topic && consumer.group === group)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Makes the consumer known, and all others known here. @throws MqttAwayError */
  async join(consumer: Consumer): Promise<void> {
    this.#own.set(consumer.id, consumer);
    await this.#started();
    await this.#announce(this.connection.insist());
    await this.#barrier(this.connection.insist());
    this.#changed();
  }

  /** Tells who is there at other processes, and then who comes and goes. @throws MqttAwayError */
  async watch(watcher: (event: PresenceEvent) => void): Promise<() => void> {
    await this.#started();
    for (const { consumers } of this.#others.values()) presenceEvents([], consumers, 'left').forEach(watcher);
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  #started(): Promise<void> {
    this.#begun ??= this.#begin().catch((error: unknown) => {
      this.#begun = undefined;
      throw error;
    });
    return this.#begun;
  }

  /** What could not be told is told on the next connection. */
  async update(consumer: Consumer): Promise<void> {
    if (!this.#own.has(consumer.id)) return;
    this.#own.set(consumer.id, consumer);
    await this.#tell();
  }

  async leave(id: string): Promise<void> {
    if (this.#own.delete(id)) await this.#tell();
  }

  /** What is retained at a topic; undefined: nothing. @throws MqttAwayError */
  async retained(name: string): Promise<Buffer | undefined> {
    const link = this.connection.insist();
    let found: Buffer | undefined;
    const forget = this.connection.watch(({ topic, payload }) => {
      if (topic === name && payload.length > 0) found = Buffer.from(payload);
    });
    try {
      await link.subscribeRetained([name, this.names.echo(this.instance)]);
      await this.#barrier(link);
      await link.unsubscribe([name]);
      return found;
    } finally {
      forget();
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#own.clear();
    const { link } = this.connection;
    if (link && this.#begun) await this.#clear(link, this.names.presence(this.instance));
    await this.#beating;
  }

  async #begin(): Promise<void> {
    this.connection.watch((packet) => this.#take(packet));
    await this.connection.onEachLink((link) => this.#setUp(link));
    this.#beating = this.#beat();
  }

  async #setUp(link: MqttLink): Promise<void> {
    this.#known = undefined;
    this.#others.clear();
    await link.subscribeRetained([this.names.presence('+'), this.names.echo(this.instance)]);
    await this.#announce(link);
    await this.#barrier(link);
    this.#known = link;
    setImmediate(() => this.#changed()); // by then it is the connection's link
  }

  /** What the broker had for us when this was called has come when it resolves: its answer comes behind it. */
  async #barrier(link: MqttLink): Promise<void> {
    const mark = randomUUID();
    const echoed = new Promise<void>((resolve) => this.#echoes.set(mark, resolve));
    try {
      const lost = link.lost.then((error) => {
        throw new MqttAwayError('no answer', error.message, { cause: error });
      });
      lost.catch(() => undefined);
      await link.publish(this.names.echo(this.instance), { payload: Buffer.from(mark) }, { qos: 1 });
      await Promise.race([echoed, lost]);
    } finally {
      this.#echoes.delete(mark);
    }
  }

  #echo({ topic, payload }: IPublishPacket): void {
    if (topic === this.names.echo(this.instance)) this.#echoes.get(payload.toString())?.();
  }

  async #tell(): Promise<void> {
    const { link } = this.connection;
    if (!link) return;
    try {
      await this.#announce(link);
    } catch (thrown) {
      this.settings.logger.debug({ err: asError(thrown) }, 'the presence was not told: the connection ended');
    }
    this.#changed();
  }

  async #announce(link: MqttLink): Promise<void> {
    const payload = Buffer.from(JSON.stringify({ consumers: [...this.#own.values()] }), 'utf8');
    await link.publish(this.names.presence(this.instance), { payload }, { qos: 1, retain: true });
  }

  async #clear(link: MqttLink, name: string): Promise<void> {
    try {
      await link.publish(name, { payload: Buffer.alloc(0) }, { qos: 1, retain: true });
    } catch (thrown) {
      this.settings.logger.debug({ err: asError(thrown) }, 'the presence was not cleared: the connection ended');
    }
  }

  #take({ topic, payload }: IPublishPacket): void {
    if (!isOfFilter(topic, this.names.presence('+'))) return;
    const instance = this.names.instanceOf(topic);
    if (instance === this.instance) return;
    const consumers = payload.length > 0 ? consumersIn(payload) : undefined;
    this.#tellWatchers(instance, consumers ?? [], consumers ? 'left' : 'died');
    if (consumers) this.#others.set(instance, { consumers, seenAt: this.settings.clock.monotonic() });
    else this.#others.delete(instance);
    this.#changed();
  }

  async #beat(): Promise<void> {
    const { clock, presenceMs } = this.settings;
    for (;;) {
      await clock.wait(presenceMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      const { link } = this.connection;
      if (!link) continue;
      const oldest = clock.monotonic() - MISSED_BEATS * presenceMs;
      const silent = [...this.#others].filter(([, { seenAt }]) => seenAt < oldest).map(([instance]) => instance);
      for (const instance of silent) {
        this.#tellWatchers(instance, [], 'died');
        this.#others.delete(instance);
        await this.#clear(link, this.names.presence(instance)); // alive all the same, it tells of itself by its next beat
      }
      await this.#tell();
    }
  }

  #tellWatchers(instance: string, after: readonly Consumer[], how: 'left' | 'died'): void {
    const events = presenceEvents(this.#others.get(instance)?.consumers ?? [], after, how);
    for (const watcher of [...this.#watchers]) events.forEach(watcher);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function consumersIn(payload: string | Buffer): readonly Consumer[] | undefined {
  try {
    const { consumers } = JSON.parse(payload.toString()) as { consumers?: unknown };
    return Array.isArray(consumers) ? (consumers as Consumer[]) : undefined;
  } catch {
    return undefined; // none of ours
  }
}

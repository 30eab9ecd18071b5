import { asError, type Clock, type KeyParking, type Message, type ParkedHead, type Settlement, type TidingsLogger } from '@tidings/core'; // prettier-ignore
import type { Release } from './key-releaser';
import { digestOf, identityOf, inboundPlace, originOf, outboundPlace, type ParkedPlace } from './parked-identity';
import { type CheckedParkedKeysOptions, checkParkedKeysOptions, type ParkedKeysOptions } from './parked-keys.options';
import type { ParkedMessage } from './parked-message';
import { failureOf, type ParksKeys } from './parking.middleware';
import type { ParkedCount } from './sql/count-parked-keys';
import type { Followed } from './sql/follow-parked-key';
import type { HeadFailure } from './sql/park-key';

interface ParkedKey {
  readonly identity: string;
  readonly place: ParkedPlace;
  /** The head first. */
  readonly waiting: ParkedMessage[];
  attempts: number;
  /** Of the clock's `now`; undefined: dead, it waits for a person. */
  dueMs: number | undefined;
  /** The dead head that was resumed last. */
  resumed: string | undefined;
}

/** Parked keys in the memory of this process, and their release, for tests: they die with it. One process has them all, so there is no lease. */
export class MemoryParkedKeys implements KeyParking, ParksKeys {
  readonly options: CheckedParkedKeysOptions;
  readonly #keys = new Map<string, ParkedKey>();
  #places: ReadonlyMap<string, Release> = new Map();
  /** By identity. */
  readonly #releasing = new Map<string, Promise<void>>();
  /** Of keys that are not due. */
  readonly #waiting = new Set<AbortController>();
  #running: AbortController | undefined;

  /** @throws OptionsError that names the bad option below `parking`. */
  constructor(
    options: ParkedKeysOptions | undefined,
    private readonly clock: Clock,
    private readonly logger: TidingsLogger,
  ) {
    this.options = checkParkedKeysOptions(options);
  }

  get count(): ParkedCount {
    const keys = [...this.#keys.values()];
    return { parked: keys.length, dead: keys.filter(({ dueMs }) => dueMs === undefined).length, old: 0 };
  }

  async isParked(place: ParkedPlace, key: string): Promise<boolean> {
    return this.#keys.has(idOf(place, key));
  }

  async park(place: ParkedPlace, head: ParkedMessage, failure: HeadFailure): Promise<'parked' | 'full'> {
    const identity = idOf(place, head.message.key!);
    const known = this.#keys.get(identity);
    if (known) return this.#append(known, head);
    const here = [...this.#keys.values()].filter((one) => one.place.place === place.place);
    if (here.length >= this.options.maxKeys) return 'full';
    const { attempts, delayMs } = failure;
    const dueMs = delayMs === undefined ? undefined : this.clock.now() + delayMs;
    const key: ParkedKey = { identity, place, waiting: [head], attempts, dueMs, resumed: undefined };
    this.#keys.set(identity, key);
    this.#release(key);
    return 'parked';
  }

  async follow(place: ParkedPlace, messages: readonly ParkedMessage[]): Promise<readonly Followed[]> {
    return messages.map((follower): Followed => {
      const key = this.#keys.get(idOf(place, follower.message.key!));
      if (!key) return 'free';
      const head = key.waiting[0]!.message;
      if (key.dueMs !== undefined) return this.#append(key, follower);
      if (sameMessage(head, follower.message)) return 'head';
      const redriven = sameOrigin(head, follower.message) && head.generation < follower.message.generation;
      if (!redriven) return this.#append(key, follower);
      this.#resume(key, follower.message);
      return 'parked';
    });
  }

  async resume(
    { direction, place, message }: ParkedHead,
    how: { readonly kind: 'again'; readonly message: Message } | { readonly kind: 'discard' },
  ): Promise<'resumed' | 'not-parked'> {
    const at = direction === 'inbound' ? inboundPlace({ group: place, topic: message.topic }) : outboundPlace(place);
    const key = message.key === null ? undefined : this.#keys.get(idOf(at, message.key));
    if (!key) return 'not-parked';
    const head = key.waiting[0]!.message;
    if (!sameOrigin(head, message)) return 'not-parked';
    if (key.dueMs !== undefined || !sameMessage(head, message)) {
      if (key.resumed !== digestOf(message).toString('hex')) return 'not-parked';
      if (how.kind === 'discard' || how.message.generation <= head.generation) return 'resumed';
    }
    this.#resume(key, how.kind === 'again' ? how.message : undefined);
    return 'resumed';
  }

  /** Releases what is due at these places from now on, as KeyReleaser does. Safe twice. */
  start(places: ReadonlyMap<string, Release>): void {
    this.#places = places;
    this.#running ??= new AbortController();
    for (const key of this.#keys.values()) this.#release(key);
  }

  /** Waits up to `drainMs` for heads in hand, then aborts their signal. What is parked stays so. Safe twice. */
  async stop(drainMs = 0): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    const drained = new AbortController();
    const all = Promise.all(this.#releasing.values()).then(() => drained.abort());
    for (const waiting of this.#waiting) waiting.abort();
    await this.clock.wait(drainMs, drained.signal);
    running?.abort();
    await all;
  }

  #append(key: ParkedKey, follower: ParkedMessage): 'parked' | 'full' {
    if (key.waiting.some(({ message }) => sameMessage(message, follower.message))) return 'parked';
    if (key.waiting.length > this.options.maxFollowers) return 'full';
    key.waiting.push(follower);
    return 'parked';
  }

  #resume(key: ParkedKey, again: Message | undefined): void {
    const [head] = key.waiting as [ParkedMessage];
    key.resumed = digestOf(head.message).toString('hex');
    if (again) key.waiting[0] = { ...head, message: again };
    else key.waiting.shift();
    key.attempts = 0;
    key.dueMs = this.clock.now();
    if (key.waiting.length === 0) this.#keys.delete(key.identity);
    else this.#release(key);
  }

  #release(key: ParkedKey): void {
    const { identity, place } = key;
    const release = this.#places.get(place.place);
    if (!this.#running || !release || this.#releasing.has(identity)) return;
    const { signal } = this.#running;
    const releasing = this.#untilFree(key, release, signal).finally(() => this.#releasing.delete(identity));
    this.#releasing.set(identity, releasing);
  }

  async #untilFree(key: ParkedKey, release: Release, signal: AbortSignal): Promise<void> {
    while (this.#running && key.dueMs !== undefined && key.waiting.length > 0) {
      const leftMs = key.dueMs - this.clock.now();
      if (leftMs > 0) {
        await this.#wait(leftMs);
        continue;
      }
      const [head] = key.waiting as [ParkedMessage];
      this.#settle(key, await this.#try(key, head, release, signal));
    }
    if (key.waiting.length === 0) this.#keys.delete(key.identity);
  }

  /** The places' receivers never reject; what is thrown all the same is tried again. */
  async #try({ attempts }: ParkedKey, head: ParkedMessage, release: Release, signal: AbortSignal): Promise<Settlement> {
    try {
      return await release({ ...head, position: '0', attempts }, attempts + 1, signal);
    } catch (thrown) {
      this.logger.warn({ message: head.message.id, err: asError(thrown) }, 'a parked key could not be released; it is tried again'); // prettier-ignore
      return { kind: 'retry', afterMs: this.options.againAfterMs, counted: false };
    }
  }

  /** The head is gone, waits again, or is dead. */
  #settle(key: ParkedKey, settlement: Settlement): void {
    if (settlement.kind === 'accept' && settlement.buried === undefined) {
      key.waiting.shift();
      key.attempts = 0;
      return;
    }
    const failure = failureOf(settlement, key.attempts + 1);
    const delayMs = failure ? failure.delayMs : settlement.kind === 'retry' ? settlement.afterMs : 0;
    key.attempts = failure?.attempts ?? key.attempts;
    key.dueMs = delayMs === undefined ? undefined : this.clock.now() + delayMs;
  }

  async #wait(ms: number): Promise<void> {
    const waiting = new AbortController();
    this.#waiting.add(waiting);
    await this.clock.wait(ms, waiting.signal);
    this.#waiting.delete(waiting);
  }
}

const idOf = (place: ParkedPlace, key: string): string => identityOf(place, key).toString('hex');
const sameMessage = (a: Message, b: Message): boolean => digestOf(a).equals(digestOf(b));
const sameOrigin = (a: Message, b: Message): boolean => originOf(a).equals(originOf(b));

import { type Clock, type Closeable, timestampOf } from '@tidings/core';
import {
  controlChecks,
  type SubscriptionControl,
  type SubscriptionControls,
  type SubscriptionName,
} from '@tidings/postgres-log';

type Listener = (controls: readonly SubscriptionControl[]) => void;
type Who = { readonly by: string };

/** What operators decide of subscriptions, in the memory of this process, for tests. */
export class MemoryControls implements Pick<
  SubscriptionControls,
  'pause' | 'resume' | 'setConcurrency' | 'setKeyConcurrency' | 'list' | 'follow'
> {
  readonly #controls = new Map<string, SubscriptionControl>();
  readonly #listeners = new Set<Listener>();

  constructor(private readonly clock: Clock) {}

  async pause(name: SubscriptionName, { by, reason }: Who & { readonly reason: string }): Promise<void> {
    const why = { by: controlChecks.text('by', by), reason: controlChecks.text('reason', reason) };
    this.#change(name, ({ paused }) => ({ paused: { since: paused?.since ?? this.#now, ...why } }));
  }

  async resume(name: SubscriptionName): Promise<boolean> {
    if (!this.#of(name).paused) return false;
    this.#change(name, () => ({ paused: null }));
    return true;
  }

  async setConcurrency(name: SubscriptionName, value: number | null, { by }: Who): Promise<void> {
    controlChecks.number('concurrency', value);
    const decided = value === null ? null : { value, since: this.#now, by: controlChecks.text('by', by) };
    this.#change(name, () => ({ concurrency: decided }));
  }

  async setKeyConcurrency(name: SubscriptionName, value: number | null, { by }: Who): Promise<void> {
    controlChecks.number('keyConcurrency', value);
    const decided = value === null ? null : { value, since: this.#now, by: controlChecks.text('by', by) };
    this.#change(name, () => ({ keyConcurrency: decided }));
  }

  async list(): Promise<SubscriptionControl[]> {
    return [...this.#controls.values()].filter(
      ({ paused, concurrency, keyConcurrency }) => paused ?? concurrency ?? keyConcurrency,
    );
  }

  async follow(listener: Listener): Promise<Closeable> {
    this.#listeners.add(listener);
    listener(await this.list());
    return { close: async () => void this.#listeners.delete(listener) };
  }

  get #now(): string {
    return timestampOf(this.clock.now());
  }

  #of(name: SubscriptionName): SubscriptionControl {
    const { group, topic } = controlChecks.name(name);
    const nothing = { group, topic, paused: null, concurrency: null, keyConcurrency: null };
    return this.#controls.get(JSON.stringify([topic, group])) ?? nothing;
  }

  #change(name: SubscriptionName, change: (before: SubscriptionControl) => Partial<SubscriptionControl>): void {
    const before = this.#of(name);
    this.#controls.set(JSON.stringify([before.topic, before.group]), { ...before, ...change(before) });
    void this.list().then((controls) => this.#listeners.forEach((listener) => listener(controls)));
  }
}

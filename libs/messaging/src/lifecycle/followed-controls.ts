import type { Closeable, Subscription, TidingsLogger } from '@tidings/core';
import type { SubscriptionControl, SubscriptionControls } from '@tidings/outbox';

type Named = Pick<Subscription, 'group' | 'topic'>;

const keyOf = ({ group, topic }: Named): string => JSON.stringify([topic, group]);

/** What operators decided of this process's subscriptions, as far as it knows: a second behind at most while its store can be reached. */
export class FollowedControls {
  #controls: ReadonlyMap<string, SubscriptionControl> = new Map();
  #following: Closeable | undefined;

  /** Without controls (no store, or several of which none is meant) nothing is decided. */
  constructor(
    private readonly controls: Pick<SubscriptionControls, 'follow'> | undefined,
    private readonly logger: TidingsLogger,
  ) {}

  /** Resolves when it is known what is in force, so that no subscription begins that is paused. `changed` is called after each change. */
  async start(changed: () => void): Promise<void> {
    this.#following = await this.controls?.follow((controls) => {
      const before = this.#controls;
      this.#controls = new Map(controls.map((control) => [keyOf(control), control]));
      this.#tell(before);
      changed();
    });
  }

  of(subscription: Named): SubscriptionControl | undefined {
    return this.#controls.get(keyOf(subscription));
  }

  /** Safe twice, and before `start`. */
  async stop(): Promise<void> {
    const following = this.#following;
    this.#following = undefined;
    await following?.close();
  }

  #tell(before: ReadonlyMap<string, SubscriptionControl>): void {
    for (const [key, { group, topic, paused }] of this.#controls) {
      if (paused && !before.get(key)?.paused) this.logger.warn({ group, topic, ...paused }, 'subscription paused');
    }
    for (const [key, { group, topic, paused }] of before) {
      if (paused && !this.#controls.get(key)?.paused) this.logger.info({ group, topic }, 'subscription resumed');
    }
  }
}

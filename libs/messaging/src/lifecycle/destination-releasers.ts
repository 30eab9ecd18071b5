import { accept, errorChain, type PublishResult, retry, type Settlement, timestampOf } from '@tidings/core';
import type { Head, Release } from '@tidings/parked-keys';
import type { MessagingRuntime } from '../messaging-runtime';
import type { Releaser, StorePatterns } from '../store-patterns';

/** Between two tries of what a broker did not take for now. */
const AGAIN_MS = 1_000;
/** As the relay's. */
const ROUTE_GRACE_MS = 60_000;

type Failed = Extract<PublishResult, { outcome: 'failed' }>;

/** One a store: publishes what waits behind redriven messages, in order, beside the relay. */
export class DestinationReleasers {
  readonly #releasers: readonly Releaser[];

  constructor(private readonly runtime: MessagingRuntime) {
    this.#releasers = runtime.stores.flatMap((patterns) => {
      const releaser = patterns.outboundReleaserOf?.((place) => this.#releaseOf(place, patterns));
      return releaser ? [releaser] : [];
    });
  }

  async start(): Promise<void> {
    for (const releaser of this.#releasers) await releaser.start();
  }

  async stop(drainMs: number): Promise<void> {
    await Promise.all(this.#releasers.map((releaser) => releaser.stop(drainMs)));
  }

  /** None for a destination of a transport that this process does not have. */
  #releaseOf(place: string, patterns: StorePatterns): Release | undefined {
    const { transports } = this.runtime;
    const transport = transports.names.find((name) => place.startsWith(`${name}/`));
    const publisher = transport === undefined ? undefined : transports.publisher(transport);
    if (transport === undefined || !publisher) return undefined;
    return async (head, attempt) => {
      const { message, group, route } = head;
      const [result] = await publisher.publish([{ message, ...(group && { group }), ...(route && { route }) }]);
      if (result?.outcome !== 'failed') return accept;
      const { reason, error } = result;
      if (reason === 'transient') return retry(AGAIN_MS, { counted: false, error });
      const graceMs = this.runtime.options.relay?.routeGraceMs ?? ROUTE_GRACE_MS;
      if (reason === 'unroutable' && attempt * AGAIN_MS < graceMs) return retry(AGAIN_MS, { error });
      return this.#bury(patterns, { place, transport }, head, attempt, result);
    };
  }

  async #bury(
    { deadLetters }: StorePatterns,
    at: { readonly place: string; readonly transport: string },
    { message, group }: Head,
    attempts: number,
    { reason, error }: Failed,
  ): Promise<Settlement> {
    const { clock, instance } = this.runtime;
    const story = `${reason}: ${error.message}`;
    await deadLetters.bury({
      message,
      direction: 'outbound',
      ...at,
      ...(group !== undefined && { group }),
      reason: story,
      attempts,
      failures: [{ attempt: attempts, at: timestampOf(clock.now()), instance, errors: errorChain(error) }],
    });
    return { kind: 'accept', buried: story };
  }
}

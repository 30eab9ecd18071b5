import {
  accept,
  type ActiveSubscription,
  type OutgoingMessage,
  type PublishResult,
  type Receive,
  type Subscription,
  type Transport,
} from '@tidings/core';
import type { TransportHarness } from '@tidings/testing';
import { memory, MemoryBroker } from './index';

/** What a broken transport does otherwise; what is left out works. */
export interface Sabotage {
  readonly outgoing?: (messages: readonly OutgoingMessage[]) => readonly OutgoingMessage[];
  readonly results?: (results: readonly PublishResult[], asked: number) => readonly PublishResult[];
  readonly subscription?: (subscription: Subscription) => Subscription;
  readonly receive?: (receive: Receive) => Receive;
  /** Accept whatever handlers hold, on this occasion. */
  readonly dropOn?: 'stop' | 'cut';
  /** Do not wait for handlers at a stop. */
  readonly drainMs?: number;
  /** What takes more down with it than it should: a subscription's stop its transport, or a transport's close the others of the process. */
  readonly takesDown?: 'its transport' | 'the others';
}

/** A harness of memory transports with one fault, and a short patience: what it lacks never comes. */
export function sabotaged(sabotage: Sabotage): TransportHarness {
  const broker = new MemoryBroker();
  const droppers = new Set<() => void>();
  const neighbours = new Set<Transport>();
  const { dropOn } = sabotage;
  return {
    kind: 'memory',
    capabilities: memory().capabilities,
    deadlineMs: 400,
    create: () => {
      const inner = memory({ broker });
      neighbours.add(inner);
      return broken(inner, sabotage, droppers, neighbours);
    },
    cut: async () => {
      if (dropOn === 'cut') for (const drop of droppers) drop();
      await new Promise(setImmediate); // the dropped ones are accepted before the line breaks
      await broker.cut();
    },
    close: async () => undefined,
  };
}

function broken(
  inner: Transport,
  sabotage: Sabotage,
  droppers: Set<() => void>,
  neighbours: ReadonlySet<Transport>,
): Transport {
  const {
    outgoing = (same) => same,
    results = (same) => same,
    subscription = (same) => same,
    receive: change = (same) => same,
  } = sabotage;
  return Object.assign(Object.create(inner) as Transport, {
    connect: () => inner.connect(),
    close: async () => {
      await Promise.all((sabotage.takesDown === 'the others' ? [...neighbours] : [inner]).map((one) => one.close()));
    },
    health: () => inner.health(),
    nativeDeadLetters: (...args: unknown[]) =>
      (inner as never as Record<string, (...a: unknown[]) => unknown>)['nativeDeadLetters']!(...args),
    publish: async (messages: readonly OutgoingMessage[]) =>
      results(await inner.publish(outgoing(messages)), messages.length),
    subscribe: async (asked: Subscription, receive: Receive): Promise<ActiveSubscription> => {
      let drop = (): void => undefined;
      const dropped = new Promise<typeof accept>((resolve) => (drop = () => resolve(accept)));
      droppers.add(drop);
      const changed = change(receive);
      const active = await inner.subscribe(subscription(asked), (delivery, signal) =>
        Promise.race([changed(delivery, signal), dropped]),
      );
      return {
        subscription: asked,
        healthy: () => active.healthy(),
        pause: () => active.pause(),
        resume: () => active.resume(),
        admitOne: () => active.admitOne(),
        setConcurrency: (concurrency) => active.setConcurrency(concurrency),
        stop: async (drainMs) => {
          if (sabotage.dropOn === 'stop') drop();
          await active.stop(sabotage.drainMs ?? drainMs);
          if (sabotage.takesDown === 'its transport') await inner.close();
        },
      };
    },
  });
}

import { randomInt } from 'node:crypto';
import { accept, type Clock, type Receive, type Subscription, type Transport } from '@tidings/core';
import type { Sabotage } from '../platform-config';

/**
 * A transport with one safeguard taken away, so that the check can prove that it would notice. Off by default, and a decorator of the transport so
 * that no app has a line of it.
 *
 * - `no-inbox`: every delivery claims to be another redrive, so the inbox recognises no copy. → applied twice
 * - `ack-first`: accepted before it is handled, as `atMostOnce` does. → lost when the process dies
 * - `no-order`: the subscription is unordered and each delivery waits a random moment. → out of order within a room
 */
export function sabotagedTransport(transport: Transport, sabotage: Sabotage, clock: Clock): Transport {
  const subscribe: Transport['subscribe'] = (subscription, receive) =>
    transport.subscribe(looser(subscription, sabotage), SABOTAGES[sabotage](receive, clock));
  // A proxy keeps whatever optional powers the transport has; methods are bound because its private fields are not the proxy's.
  return new Proxy(transport, {
    get(target, property) {
      if (property === 'subscribe') return subscribe;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const looser = (subscription: Subscription, sabotage: Sabotage): Subscription =>
  sabotage === 'no-order' ? { ...subscription, ordered: false, concurrency: 16 } : subscription;

const SABOTAGES: Readonly<Record<Sabotage, (receive: Receive, clock: Clock) => Receive>> = {
  'no-inbox': (receive) => (delivery, signal) =>
    receive({ ...delivery, message: { ...delivery.message, generation: randomInt(1, 2 ** 31) } }, signal),

  'ack-first': (receive, clock) => {
    // One after the other in the background: the order stays, so that only what was accepted too early can go wrong.
    let before: Promise<unknown> = Promise.resolve();
    return async (delivery, signal) => {
      before = before.then(() => clock.wait(2)).then(() => receive(delivery, signal));
      return accept;
    };
  },

  'no-order': (receive, clock) => async (delivery, signal) => {
    await clock.wait(randomInt(30));
    return receive(delivery, signal);
  },
};

import type { Middleware, Subscription } from '@tidings/core';
import type { SubscriptionCircuit } from './subscription-circuit';

/** The circuits of this process by subscription: the chain is made before any subscription is. */
export class CircuitDirectory {
  readonly #circuits = new WeakMap<Subscription, SubscriptionCircuit>();

  add(subscription: Subscription, circuit: SubscriptionCircuit): void {
    this.#circuits.set(subscription, circuit);
  }

  readonly middleware: Middleware = (context, next) =>
    this.#circuits.get(context.handler.subscription)?.middleware(context, next) ?? next();
}

import type { Settlement, Subscription, Transport } from '@tidings/core';
import type { ProcessTransport } from './harness';

/** What the other process tells: that it has subscribed, and each delivery that it holds. */
export type HeldConsumerReport = { readonly ready: true } | { readonly held: Held };

export interface Held {
  readonly id: string;
  readonly attempt: number;
  readonly redelivered: boolean;
}

interface Order extends ProcessTransport {
  readonly subscription: Subscription;
}

const report = (what: HeldConsumerReport): void => void process.send?.(what);

async function hold({ module, factory, options, subscription }: Order): Promise<void> {
  const exported = (await import(module)) as Record<string, (options: unknown) => Transport | Promise<Transport>>;
  const make = exported[factory];
  if (!make) throw new TypeError(`${module} exports no ${factory}`);
  const transport = await make(options);
  await transport.connect();
  await transport.subscribe(subscription, (delivery) => {
    report({ held: { id: delivery.message.id, attempt: delivery.attempt, redelivered: delivery.redelivered } });
    return new Promise<Settlement>(() => undefined); // never settles: whoever started this process kills it
  });
  report({ ready: true });
}

// Only as a process of its own: importing this file for its types must do nothing.
if (process.send && require.main === module) {
  process.once('message', (order: Order) => void hold(order));
  process.once('disconnect', () => process.exit(0)); // the spec died: leave no orphan
}

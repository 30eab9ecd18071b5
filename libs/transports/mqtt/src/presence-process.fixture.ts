import { accept, type Subscription } from '@tidings/core';
import type { MqttOptions } from './mqtt.options';
import { mqtt } from './mqtt.transport';

/** Subscribes, tells of it, and stays: to be killed. */
process.once('message', ({ options, subscription }: { options: MqttOptions; subscription: Subscription }) => {
  mqtt(options)
    .subscribe(subscription, () => Promise.resolve(accept))
    .then(
      () => process.send?.('subscribed'),
      (error: unknown) => process.send?.(String(error)),
    );
});
process.once('disconnect', () => process.exit(0)); // the spec died: leave no orphan

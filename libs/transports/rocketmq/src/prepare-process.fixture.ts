import type { Message } from '@tidings/core';
import type { RocketMqOptions } from './rocketmq.options';
import { rocketmq } from './rocketmq.transport';

interface Order {
  readonly options: RocketMqOptions;
  readonly message: Omit<Message, 'payload'> & { readonly payload: string };
}

/** Prepares a message, tells of it, and decides nothing: to be killed. */
process.once('message', ({ options, message }: Order) => {
  const prepared = rocketmq(options).prepare({
    message: { ...message, payload: Buffer.from(message.payload, 'base64') },
  });
  prepared.then(
    () => process.send?.('prepared'),
    (error: unknown) => process.send?.(String(error)),
  );
});
process.once('disconnect', () => process.exit(0)); // the spec died: leave no orphan

import { asError, type HandlerDefinition, type Message, type Receive } from '@tidings/core';
import { namesOf } from '../messaging.errors';
import { refusing } from './refusing.handler';
import type { PlannedHandler, Shards } from './subscription-plan';

/**
 * A handler whose store is chosen message by message: one receiver a store, so that transaction, inbox and dead letters are all of one shard. A choice
 * that is none goes to the dead letters of the handler's own store, for a retry would ask the same function the same question.
 */
export function shardedReceiver(
  handler: PlannedHandler,
  shards: Shards,
  receiverFor: (handler: HandlerDefinition) => Receive,
): Receive {
  const byStore = new Map(shards.among.map((store) => [store, receiverFor({ ...handler, store })]));
  const refused = receiverFor(refusing(handler, (message) => `no store: ${problemOf(handler.name, shards, message)}`));
  return (delivery, signal) => {
    const choice = chosen(shards, delivery.message);
    return ((typeof choice === 'string' ? byStore.get(choice) : undefined) ?? refused)(delivery, signal);
  };
}

function chosen(shards: Shards, message: Message): unknown {
  try {
    return shards.of(message);
  } catch (thrown) {
    return asError(thrown);
  }
}

function problemOf(name: string, shards: Shards, message: Message): string {
  const choice = chosen(shards, message);
  const found = choice instanceof Error ? `it throws: ${choice.message}` : (JSON.stringify(choice) ?? 'undefined');
  return `expected the store function of ${name} to answer one of ${namesOf(shards.among)}, found ${found}; mend it, then redrive`;
}

import { asError, type HandlerDefinition, type Message, type Receive } from '@tidings/core';
import { namesOf } from '../messaging.errors';
import { refusing } from './refusing.handler';
import type { PlannedHandler, Shards } from './handler-plan';

/** Keys whose shard a receiver of an ordered subscription remembers. */
const KEYS_REMEMBERED = 10_000;

/**
 * A handler whose store is chosen message by message: one receiver a store, so that transaction, inbox and dead letters are all of one shard. A choice
 * that is none goes to the dead letters of the handler's own store, for a retry would ask the same function the same question. So does a choice for an
 * ordered key that is another than before: messages of one key in two shards have no order between them, neither in a batch, which is a transaction in
 * each shard, nor while the key is parked in one of them.
 */
export function shardedReceiver(
  handler: PlannedHandler,
  shards: Shards,
  receiverFor: (handler: HandlerDefinition) => Receive,
): Receive {
  const byStore = new Map(shards.among.map((store) => [store, receiverFor({ ...handler, store })]));
  const strayed = new Map<Message, string>();
  const known = new Map<string, string>();
  const refused = receiverFor(
    refusing(handler, (message) => `no store: ${strayed.get(message) ?? problemOf(handler.name, shards, message)}`),
  );
  return (delivery, signal) => {
    const { message } = delivery;
    const choice = chosen(shards, message);
    const receive = typeof choice === 'string' ? byStore.get(choice) : undefined;
    if (!receive) return refused(delivery, signal);
    const before = handler.subscription.ordered ? shardBefore(known, message.key, choice as string) : choice;
    if (before === choice) return receive(delivery, signal);
    strayed.set(message, `expected the store function of ${handler.name} to go by the key, found ${namesOf([String(before), choice as string])} for one key; mend it, then redrive`); // prettier-ignore
    return refused(delivery, signal).finally(() => strayed.delete(message));
  };
}

/** The shard that the key was in when it was last met; this one, when it was not. */
function shardBefore(known: Map<string, string>, key: string | null, choice: string): string {
  if (key === null) return choice;
  const before = known.get(key) ?? choice;
  known.delete(key);
  known.set(key, before);
  if (known.size > KEYS_REMEMBERED) known.delete(known.keys().next().value!);
  return before;
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

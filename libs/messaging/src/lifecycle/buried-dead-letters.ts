import type { DeadLetterSource, NativeDeadLetter, Transport } from '@tidings/core';
import type { PlannedSubscription } from '../handling/subscription-plan';
import type { MessagingRuntime } from '../messaging-runtime';

const isSource = (transport: object): transport is DeadLetterSource =>
  'takeDeadLetters' in transport && typeof transport.takeDeadLetters === 'function';

/**
 * Has the dead letters that a broker filed by itself (expired, dropped for length, delivered too often, unreadable) buried among those of the
 * group's store, where a person sees and redrives them with the others. A group without a store leaves them at the broker, as does a transport
 * without the power; a broadcast has none: nothing is kept for it.
 *
 * @returns what stops it, if it began.
 */
export async function buryDeadLettersOf(
  { subscription, handlers, transport: name }: PlannedSubscription,
  transport: Transport,
  runtime: MessagingRuntime,
): Promise<(() => Promise<void>) | undefined> {
  const { topic, group, broadcast } = subscription;
  const stored = handlers.filter(({ store }) => store !== '');
  const [first] = stored;
  if (!first || broadcast || !isSource(transport)) return undefined;
  const bury = async ({ message, reason, attempts, failures = [] }: NativeDeadLetter): Promise<void> => {
    const handler = stored.find(({ contract }) => contract.type === message.type);
    const { deadLetters } = runtime.storeFor(`group ${group} on ${topic}`, (handler ?? first).store);
    const told = { reason: reason || 'dead-lettered by the broker, which does not tell why', attempts, failures };
    const named = handler ? { handler: handler.name } : {};
    await deadLetters.bury({ message, direction: 'inbound', place: group, transport: name, ...named, ...told });
  };
  const taking = await transport.takeDeadLetters(topic, group, bury);
  return () => taking.stop();
}

import type { Link } from './rabbitmq-connection';
import type { RabbitMqNames } from './rabbitmq-names';
import { codeOf, REPLY } from './rabbitmq-topology';

/** An unordered group has the one queue, an ordered one all of its lanes': one that was deleted is missing, though its neighbours stand. */
export async function hasGroup(
  link: Link,
  names: RabbitMqNames,
  topic: string,
  group: string,
  orderedQueues: number,
): Promise<boolean> {
  if (await hasQueue(link, names.group(topic, group))) return true;
  for (let index = 0; index < orderedQueues; index++)
    if (!(await hasQueue(link, names.lanes(topic, group, index, orderedQueues)))) return false;
  return true;
}

/** A passive declare. On a channel of its own, since the answer "not found" closes it. */
async function hasQueue(link: Link, queue: string): Promise<boolean> {
  const channel = await link.model.createChannel();
  channel.on('error', () => undefined); // told by the call that it fails
  try {
    await channel.checkQueue(queue);
    return true;
  } catch (error) {
    const code = error instanceof Error ? codeOf(error) : undefined;
    if (code === REPLY.notFound) return false;
    if (code === REPLY.locked) return true; // exclusive to another connection
    throw error;
  } finally {
    await channel.close().catch(() => undefined);
  }
}

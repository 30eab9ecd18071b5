import { messageOf, type NativeDeadLetter } from '@tidings/core';
import type { Channel, GetMessage, MessageProperties } from 'amqplib';
import type { Link } from './rabbitmq-connection';
import { fromAmqp, OWN_HEADERS, textOf } from './rabbitmq-mapping';
import { codeOf, REPLY } from './rabbitmq-topology';

/**
 * Reads the oldest of a dead-letter queue and leaves them there: closing the channel gives all that it took back to their places, in one step.
 * Two readers at once see parts of it each, for what one holds the other does not get.
 */
export async function readDeadLetters(
  link: Link,
  queue: string,
  topic: string,
  limit: number,
): Promise<readonly NativeDeadLetter[]> {
  const channel = await link.model.createChannel();
  channel.on('error', () => undefined); // told by the call that it fails
  try {
    const letters: NativeDeadLetter[] = [];
    while (letters.length < limit) {
      const taken = await take(channel, queue);
      if (!taken) break;
      letters.push(letterOf(taken, topic));
    }
    return letters;
  } finally {
    await channel.close().catch(() => undefined);
  }
}

async function take(channel: Channel, queue: string): Promise<GetMessage | false> {
  try {
    return await channel.get(queue, { noAck: false });
  } catch (error) {
    if (error instanceof Error && codeOf(error) === REPLY.notFound) return false; // nobody ever subscribed: nothing was rejected
    throw error;
  }
}

function letterOf(taken: GetMessage, topic: string): NativeDeadLetter {
  const headers = taken.properties.headers ?? {};
  return {
    message: readable(taken, topic),
    reason: textOf(headers[OWN_HEADERS.reason]),
    attempts: Number(headers[OWN_HEADERS.attempts] ?? 0),
  };
}

/** A dead letter may be one because it is no message at all; a person still wants to see it. */
function readable(taken: GetMessage, topic: string): NativeDeadLetter['message'] {
  try {
    return fromAmqp(taken, topic).message;
  } catch {
    const { messageId, appId, type } = taken.properties as Record<keyof MessageProperties, unknown>;
    const attributes = {
      id: textOf(messageId) || 'unknown',
      source: textOf(appId) || 'unknown',
      type: textOf(type) || 'unknown',
    };
    return messageOf(attributes, taken.content, topic, {}).message;
  }
}

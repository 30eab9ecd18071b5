import { type Message, messageOf, type NativeDeadLetter } from '@tidings/core';
import type { Channel, GetMessage, MessageProperties } from 'amqplib';
import type { Link } from './rabbitmq-connection';
import { fromAmqp, OWN_HEADERS, textOf } from './rabbitmq-mapping';
import { deathsOf, failuresOfDeaths, reasonOfDeaths } from './broker-deaths';
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

type Taken = Pick<GetMessage, 'content' | 'properties'>;

export function letterOf(taken: Taken, topic: string): NativeDeadLetter {
  const headers = taken.properties.headers ?? {};
  const deaths = deathsOf(headers['x-death']);
  const { message, attempts } = readable(taken, topic);
  return {
    message,
    reason: textOf(headers[OWN_HEADERS.reason]) || reasonOfDeaths(deaths),
    attempts: Number(headers[OWN_HEADERS.attempts] ?? attempts),
    ...(deaths.length > 0 && { failures: failuresOfDeaths(deaths) }),
  };
}

/** A dead letter may be one because it is no message at all; a person still wants to see it. */
function readable(taken: Taken, topic: string): { readonly message: Message; readonly attempts: number } {
  try {
    const { message, attempts } = fromAmqp(taken, topic);
    return { message, attempts };
  } catch {
    const { messageId, appId, type } = taken.properties as Record<keyof MessageProperties, unknown>;
    const attributes = {
      id: textOf(messageId) || 'unknown',
      source: textOf(appId) || 'unknown',
      type: textOf(type) || 'unknown',
    };
    return { message: messageOf(attributes, taken.content, topic, {}).message, attempts: 0 };
  }
}

import { laneOf, type OutgoingMessage } from '@tidings/core';
import { publishEntries, type StreamLetter } from './lua/publish-entries';
import { PagedPublisher } from './paged-publisher';
import type { RedisSettings } from './redis.options';
import type { RedisConnection } from './redis-connection';
import { toFields } from './redis-mapping';
import type { RedisNames } from './redis-names';

/** Adds messages to their streams. */
export const redisPublisher = (
  connection: RedisConnection,
  names: RedisNames,
  settings: RedisSettings,
): PagedPublisher<StreamLetter> =>
  new PagedPublisher(
    connection,
    {
      letterOf: (outgoing) => letterOf(outgoing, names, settings),
      place: (topic) => names.base(topic),
      send: (topic, letters) => {
        const streams = settings.topics[topic]?.streams ?? settings.streams;
        return publishEntries(connection, names.base(topic), { streams, trim: trimOf(topic, settings) }, letters);
      },
    },
    settings,
  );

function trimOf(topic: string, settings: RedisSettings): string[] {
  const { maxLength, maxAgeMs, approximate } = settings.topics[topic] ?? {};
  const how = approximate ? '~' : '=';
  if (maxLength !== undefined) return ['MAXLEN', how, String(maxLength)];
  // By this process's clock: a clock that is ahead trims earlier, and age is no promise.
  if (maxAgeMs !== undefined) return ['MINID', how, String(Math.max(0, settings.clock.now() - maxAgeMs))];
  return [];
}

function letterOf(outgoing: OutgoingMessage, names: RedisNames, { topics }: RedisSettings): StreamLetter {
  const { message, group, delayMs = 0, route = 'required' } = outgoing;
  const fields = toFields(outgoing);
  return {
    topic: message.topic,
    bytes: fields.reduce((sum, field) => sum + field.length, 0),
    group: group === undefined ? '' : names.group(group),
    lane: laneOf(message),
    required: route === 'required',
    delayMs,
    entryId: (group === undefined && topics[message.topic]?.entryId?.(message)) || '*',
    fields,
  };
}

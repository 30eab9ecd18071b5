import type { Message } from '@tidings/core';
import { z } from 'zod';

/** An exchange, by AMQP 0-9-1. */
export interface RabbitMqExchange {
  readonly type: 'direct' | 'fanout' | 'topic' | 'headers';
  /** Default true. */
  readonly durable?: boolean;
  /** Ends with its last binding. Default false. */
  readonly autoDelete?: boolean;
  /** Takes messages of other exchanges only. Default false. */
  readonly internal?: boolean;
  /** The exchange, by its full name, that takes what no binding of this one does. Such a message counts as routed. Default none. */
  readonly alternate?: string;
}

/** A queue's declaration. The broker refuses to declare it anew in another way: drain and delete it to change it. */
export interface RabbitMqQueue {
  /** Quorum queues are replicated; a classic one lives on one node. Default `classic`. */
  readonly kind?: 'classic' | 'quorum';
  /** Default true. */
  readonly durable?: boolean;
  /** For this connection only; ends with it. Default false. */
  readonly exclusive?: boolean;
  /** Ends with its last consumer. Default false. */
  readonly autoDelete?: boolean;
  /** Keeps messages on disk rather than in memory (before RabbitMQ 3.12; later all classic queues do). Default false. */
  readonly lazy?: boolean;
  /** A message that waits longer is dead-lettered as `expired`. Default none. */
  readonly messageTtlMs?: number;
  /** The queue ends when unused this long, with all that is in it. Default none. */
  readonly expiresMs?: number;
  /** Messages that may wait. Default none. */
  readonly maxLength?: number;
  /** Bytes of bodies that may wait. Default none. */
  readonly maxBytes?: number;
  /** What gives way when it is full: the oldest, dead-lettered as `maxlen`, or the publish, which then failed as `transient`. Default `drop-head`. */
  readonly overflow?: 'drop-head' | 'reject-publish' | 'reject-publish-dlx';
  /** Levels of priority, 1 to 255; a few are enough, each costs. Classic queues of unordered groups only. Default none. */
  readonly maxPriority?: number;
  /**
   * Quorum queues: deliveries that a message may come back from (a consumer died, a release) before it is dead-lettered as `delivery_limit`. At least
   * the attempts of the handlers' retry policies, or the start is refused. Default: the broker's, none before RabbitMQ 4, 20 there.
   */
  readonly deliveryLimit?: number;
}

/** What a binding lets through. Of a `headers` exchange `headers`, of the others `routingKey`. */
export interface RabbitMqMatch {
  readonly routingKey?: string;
  readonly headers?: Readonly<Record<string, string | number | boolean>>;
  /** Whether all of `headers` must fit, or any. Default `all`. */
  readonly match?: 'all' | 'any';
}

/** From an exchange to a queue or to another exchange, by full names: topic `gift.sent` has the exchange `tidings.gift.sent`. */
export interface RabbitMqBinding extends RabbitMqMatch {
  readonly source: string;
  readonly toQueue?: string;
  readonly toExchange?: string;
}

/** Exchanges, queues and bindings of the user's own, beside those of topics and groups. Declared at each connect, by the names given. */
export interface RabbitMqTopology {
  readonly exchanges?: Readonly<Record<string, RabbitMqExchange>>;
  readonly queues?: Readonly<Record<string, RabbitMqQueue>>;
  readonly bindings?: readonly RabbitMqBinding[];
}

/** How a topic's exchange is declared: alike in every process that publishes to it or subscribes. */
export interface RabbitMqTopic {
  /** Default `topic`. */
  readonly type?: RabbitMqExchange['type'];
  /** As of an exchange. */
  readonly alternate?: string;
  /** Default: the message's lane, `0` to `63`, which ordered groups need: with a key of one's own all groups are unordered. */
  readonly routingKey?: (message: Message) => string;
}

/** How a group's queues are declared and fed, on every topic that it subscribes. */
export interface RabbitMqGroup {
  /** Given at all, even empty, the broker dead-letters into the group's dead letters what it gives up. Default: a durable classic queue without. */
  readonly queue?: RabbitMqQueue;
  /** Which of the topic's messages it takes. Those of an earlier version stay at the broker until somebody removes them. Default: all. */
  readonly bindings?: readonly RabbitMqMatch[];
  /** As the option `prefetch`, for this group: unsettled deliveries of each consumer. */
  readonly prefetch?: number;
  /** Unsettled deliveries of the channel, so of all consumers of an ordered group together. Not for quorum queues. Default none. */
  readonly channelPrefetch?: number;
}

const ms = z.int('expected whole milliseconds').min(1).max(2_147_483_647);
const count = z.int('expected a whole number').min(1);
const name = z.string().min(1, 'expected a name').max(255, 'expected at most 255 bytes');
const type = z.enum(['direct', 'fanout', 'topic', 'headers'], { error: 'expected direct, fanout, topic or headers' });

const exchange = z.strictObject({
  type,
  durable: z.boolean().optional(),
  autoDelete: z.boolean().optional(),
  internal: z.boolean().optional(),
  alternate: name.optional(),
});

/** What the broker would refuse by closing a channel, or ignore without a word, told by its path instead. */
const NOT_OF_QUORUM = { exclusive: true, autoDelete: true, lazy: true, durable: false } as const;

const queue = z
  .strictObject({
    kind: z.enum(['classic', 'quorum'], { error: 'expected classic or quorum' }).default('classic'),
    durable: z.boolean().optional(),
    exclusive: z.boolean().optional(),
    autoDelete: z.boolean().optional(),
    lazy: z.boolean().optional(),
    messageTtlMs: ms.optional(),
    expiresMs: ms.optional(),
    maxLength: count.optional(),
    maxBytes: count.optional(),
    overflow: z
      .enum(['drop-head', 'reject-publish', 'reject-publish-dlx'], {
        error: 'expected drop-head, reject-publish or reject-publish-dlx',
      })
      .optional(),
    maxPriority: z.int().min(1).max(255, 'expected at most 255').optional(),
    deliveryLimit: count.optional(),
  })
  .superRefine((given, context) => {
    const refuse = (path: keyof typeof given, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (given.kind === 'quorum') {
      for (const [path, value] of Object.entries(NOT_OF_QUORUM) as [keyof typeof NOT_OF_QUORUM, boolean][])
        if (given[path] === value) refuse(path, `must not be ${value} with a quorum queue, which has no such thing`);
      if (given.maxPriority !== undefined) refuse('maxPriority', 'a quorum queue has no priorities; use a classic one');
      if (given.overflow === 'reject-publish-dlx')
        refuse('overflow', 'a quorum queue has drop-head and reject-publish');
    } else if (given.deliveryLimit !== undefined) {
      refuse('deliveryLimit', 'only a quorum queue counts deliveries; a classic one has none');
    }
    if (given.overflow !== undefined && given.maxLength === undefined && given.maxBytes === undefined)
      refuse('overflow', 'needs maxLength or maxBytes: the queue is never full');
  });

const match = {
  routingKey: z.string().max(255, 'expected at most 255 bytes').optional(),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  match: z.enum(['all', 'any'], { error: 'expected all or any' }).optional(),
};

const binding = z
  .strictObject({ ...match, source: name, toQueue: name.optional(), toExchange: name.optional() })
  .refine(({ toQueue, toExchange }) => (toQueue === undefined) !== (toExchange === undefined), {
    error: 'expected either toQueue or toExchange',
  });

const routingKeyOf = z.custom<(message: Message) => string>((value) => typeof value === 'function', {
  error: 'expected a function of the message',
});

const group = z
  .strictObject({
    queue: queue.optional(),
    bindings: z.array(z.strictObject(match)).min(1, 'expected at least one binding, or none at all for all').optional(),
    prefetch: z.int().min(1).max(65_535).optional(),
    channelPrefetch: z.int().min(1).max(65_535).optional(),
  })
  .refine(({ queue, channelPrefetch }) => queue?.kind !== 'quorum' || channelPrefetch === undefined, {
    path: ['channelPrefetch'],
    error: 'quorum queues limit each consumer only; use prefetch',
  });

export const topologyOptions = {
  topology: z
    .strictObject({
      exchanges: z.record(name, exchange).default({}),
      queues: z.record(name, queue).default({}),
      bindings: z.array(binding).default([]),
    })
    .optional(),
  topics: z
    .record(
      z.string(),
      z.strictObject({ type: type.optional(), alternate: name.optional(), routingKey: routingKeyOf.optional() }),
    ) // prettier-ignore
    .default({}),
  groups: z.record(z.string(), group).default({}),
};

export type QueueSettings = z.output<typeof queue>;
export type MatchSettings = { readonly [Name in keyof RabbitMqMatch]?: RabbitMqMatch[Name] | undefined };

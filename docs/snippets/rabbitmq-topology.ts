import { rabbitmq } from '@tidings/rabbitmq';

// #region topology
export const transport = rabbitmq({
  urls: ['amqps://a.example', 'amqps://b.example'],
  topics: {
    'gift.sent': { alternate: 'strays' },
    'room.event': { type: 'headers' },
  },
  groups: {
    ranking: { queue: { kind: 'quorum', deliveryLimit: 20 } },
    screens: { bindings: [{ headers: { region: 'eu' } }], queue: { messageTtlMs: 5_000, maxLength: 10_000 } },
    mails: { queue: { maxPriority: 4 }, prefetch: 1 },
  },
  topology: {
    exchanges: { strays: { type: 'fanout' } },
    queues: { strays: { kind: 'quorum' } },
    bindings: [{ source: 'strays', toQueue: 'strays' }],
  },
});
// #endregion

import { OptionsError, systemClock } from '@tidings/core';
import { type RabbitMqOptions, rabbitMqSettings } from './rabbitmq.options';

const urls = 'amqp://broker';

describe('options of the RabbitMQ transport', () => {
  it('have their defaults', () => {
    expect(rabbitMqSettings({ urls })).toMatchObject({
      urls: [urls],
      prefix: 'tidings',
      orderedQueues: 8,
      connectTimeoutMs: 5_000,
      confirmTimeoutMs: 30_000,
      heartbeatMs: 10_000,
      maxMessageBytes: 16_777_216,
      clock: systemClock,
    });
  });

  it.each<[string, object]>([
    ['rabbitmq.urls', {}],
    ['rabbitmq.urls', { urls: [] }],
    ['rabbitmq.urls', { urls: 7 }],
    ['rabbitmq.urls.1', { urls: [urls, 'https://broker'] }],
    ['rabbitmq.prefix', { urls, prefix: 'a.b' }],
    ['rabbitmq.prefetch', { urls, prefetch: 0 }],
    ['rabbitmq.orderedQueues', { urls, orderedQueues: 65 }],
    ['rabbitmq.heartbeatMs', { urls, heartbeatMs: 1_500 }],
    ['rabbitmq.attributes', { urls, attributes: 'none' }],
    ['rabbitmq.publishChannels', { urls, publishChannels: 17 }],
    ['rabbitmq.topics.gift.sent.type', { urls, topics: { 'gift.sent': { type: 'queue' } } }],
    ['rabbitmq.topics.gift.sent.routingKey', { urls, topics: { 'gift.sent': { routingKey: 'k' } } }],
    ['rabbitmq.groups.g.queue.maxLength', { urls, groups: { g: { queue: { maxLength: 0 } } } }],
    ['rabbitmq.groups.g.queue.overflow', { urls, groups: { g: { queue: { overflow: 'reject-publish' } } } }],
    ['rabbitmq.groups.g.queue.deliveryLimit', { urls, groups: { g: { queue: { deliveryLimit: 5 } } } }],
    ['rabbitmq.groups.g.queue.maxPriority', { urls, groups: { g: { queue: { kind: 'quorum', maxPriority: 5 } } } }],
    ['rabbitmq.groups.g.queue.exclusive', { urls, groups: { g: { queue: { kind: 'quorum', exclusive: true } } } }],
    ['rabbitmq.groups.g.queue.durable', { urls, groups: { g: { queue: { kind: 'quorum', durable: false } } } }],
    ['rabbitmq.groups.g.channelPrefetch', { urls, groups: { g: { queue: { kind: 'quorum' }, channelPrefetch: 5 } } }],
    ['rabbitmq.groups.g.bindings', { urls, groups: { g: { bindings: [] } } }],
    ['rabbitmq.topology.bindings.0', { urls, topology: { bindings: [{ source: 'a' }] } }],
    ['rabbitmq.topology.exchanges.a.type', { urls, topology: { exchanges: { a: {} } } }],
    ['rabbitmq.clock', { urls, clock: 7 }],
    ['rabbitmq', { urls, prefetsch: 7 }],
  ])('an error names %s: %j', (path, options) => {
    expect(() => rabbitMqSettings(options as RabbitMqOptions)).toThrow(
      expect.objectContaining({ path, name: OptionsError.name }) as Error,
    );
  });

  it('an error does not tell the password', () => {
    expect(() => rabbitMqSettings({ urls: 'http://me:secret@broker' })).toThrow(/^(?!.*secret)/);
  });
});

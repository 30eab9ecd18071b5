import { OptionsError, systemClock } from '@tidings/core';
import { brokersOf, type KafkaOptions, kafkaSettings } from './kafka.options';

const urls = 'kafka://broker';

describe('options of the Kafka transport', () => {
  it('have their defaults', () => {
    expect(kafkaSettings({ urls })).toMatchObject({
      urls: [urls],
      tls: false,
      prefix: 'tidings',
      partitions: 8,
      acks: 'all',
      idempotent: false,
      compression: 'none',
      prefetch: 1_000,
      sessionTimeoutMs: 30_000,
      heartbeatMs: 3_000,
      rebalanceDrainMs: 15_000,
      commitIntervalMs: 100,
      maxMessageBytes: 1_048_576,
      clock: systemClock,
    });
  });

  it('takes several addresses, as a list or with commas between', () => {
    const two = ['kafka://a:9092', 'kafka://b'];
    expect(brokersOf(kafkaSettings({ urls: two }))).toEqual(['a:9092', 'b:9092']);
    expect(kafkaSettings({ urls: two.join(',') }).urls).toEqual(two);
  });

  it.each<[string, object]>([
    ['kafka.urls', {}],
    ['kafka.urls', { urls: [] }],
    ['kafka.urls.1', { urls: [urls, 'https://broker'] }],
    ['kafka.tls', { urls, tls: 'yes' }],
    ['kafka.tls', { urls, tls: { ca: 7 } }],
    ['kafka.tls', { urls, tls: { authority: 'PEM' } }],
    ['kafka.sasl.mechanism', { urls, sasl: { mechanism: 'gssapi', username: 'u', password: 'p' } }],
    ['kafka.sasl.username', { urls, sasl: { mechanism: 'plain', username: '', password: 'p' } }],
    ['kafka.sasl.password', { urls, sasl: { mechanism: 'plain', username: 'u' } }],
    ['kafka.prefix', { urls, prefix: 'a.b' }],
    ['kafka.partitions', { urls, partitions: 0 }],
    ['kafka.replicas', { urls, replicas: 0 }],
    ['kafka.topics.gift.sent.partition', { urls, topics: { 'gift.sent': { partition: 'random' } } }],
    [
      'kafka.topics.gift.sent.config.retention.ms',
      { urls, topics: { 'gift.sent': { config: { 'retention.ms': 7 } } } },
    ],
    ['kafka.acks', { urls, acks: 2 }],
    ['kafka.idempotent', { urls, acks: 1, idempotent: true }],
    ['kafka.compression', { urls, compression: 'zip' }],
    ['kafka.foreign.source', { urls, foreign: {} }],
    ['kafka.heartbeatMs', { urls, sessionTimeoutMs: 6_000, heartbeatMs: 3_000 }],
    ['kafka.rebalanceDrainMs', { urls, sessionTimeoutMs: 6_000, rebalanceDrainMs: 6_000 }],
    ['kafka.addresses', { urls, addresses: 'here' }],
    ['kafka.clock', { urls, clock: 7 }],
    ['kafka', { urls, prefetsch: 7 }],
  ])('an error names %s: %j', (path, options) => {
    expect(() => kafkaSettings(options as KafkaOptions)).toThrow(
      expect.objectContaining({ path, name: OptionsError.name }) as Error,
    );
  });

  it('an error does not tell the password', () => {
    const sasl = { mechanism: 'gssapi', username: 'u', password: 'secret' };
    expect(() => kafkaSettings({ urls, sasl } as unknown as KafkaOptions)).toThrow(/^(?!.*secret)/);
  });
});

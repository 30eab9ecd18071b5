import { rocketMqSettings, type RocketMqOptions } from './rocketmq.options';

const urls = 'rocketmq://127.0.0.1:8081';

describe('options of RocketMQ', () => {
  it.each<[string, RocketMqOptions]>([
    ['rocketmq.urls', { urls: [] }],
    ['rocketmq.urls.0', { urls: 'amqp://a' }],
    ['rocketmq.prefix', { urls, prefix: 'a.b' }],
    ['rocketmq.nameServer', { urls, nameServer: 'a' }],
    ['rocketmq.queues', { urls, queues: 0 }],
    ['rocketmq.groups.a.tags.0', { urls, groups: { a: { tags: ['x || y'] } } }],
    ['rocketmq.confirmTimeoutMs', { urls, confirmTimeoutMs: 10 }],
    ['rocketmq.provision', { urls, credentials: { accessKey: 'a', accessSecret: 'b' } }],
  ])('names the bad one: %s', (path, options) => {
    expect(() => rocketMqSettings(options)).toThrow(expect.objectContaining({ path }) as Error);
  });

  it('has defaults', () => {
    expect(rocketMqSettings({ urls })).toMatchObject({
      prefix: 'tidings',
      queues: 8,
      provision: true,
      invisibleMs: 30_000,
    });
  });
});

import { rocketmq } from './rocketmq.transport';

describe('a RocketMQ transport that nobody connected', () => {
  it('holds no timer, which would keep its process alive, and closes', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const transport = rocketmq({ urls: 'rocketmq://nowhere' });
    expect(timers()).toBe(before);
    await transport.close();
  });
});

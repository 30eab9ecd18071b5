import { describePrivate, RestartScene } from '@tidings/testing';
import { redis } from './redis.transport';

describePrivate('redis', 'the Redis transport, when its server restarts from its append-only file', (node) => {
  const scene = new RestartScene(
    () => redis({ urls: node().url, leaseMs: 3_000, reconnectMaxMs: 200, streams: 4 }),
    { messages: 3_000 }, // Redis has handled 1,500 before it is told to end
  );

  it.each(['stop', 'crash'] as const)(
    'loses nothing and swaps nothing of what is published, handled and settled in its middle: %s',
    (end) => scene.inTheMiddle(node(), end),
    240_000,
  );
});

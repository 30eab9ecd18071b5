import { join } from 'node:path';
import { describeOn, transportConformance } from '@tidings/testing';
import { REDIS_CAPABILITIES } from './redis.transport';
import { SpecRedis } from './spec-redis.fixture';

describeOn('redis', 'the Redis transport', (url) => {
  let server: SpecRedis;
  transportConformance({
    kind: 'redis',
    capabilities: REDIS_CAPABILITIES,
    open: async () => {
      server = await SpecRedis.at(url);
    },
    // The oldest message kept must be kept for as long as the suite looks: trimming every half second takes what the only group has handled.
    create: () => server.transport({ keepMs: 60_000 }),
    cut: () => Promise.resolve(server.proxy.cut()),
    cutRedelivers: false,
    exempt: {
      'connection cut: the attempt that it ended is counted':
        'a cut ends no attempt: the list of pending entries holds a delivery, and not the connection ("XPENDING")',
    },
    process: {
      module: join(__dirname, 'redis.transport.ts'),
      factory: 'redis',
      options: () => server.directOptions,
    },
    afterEach: () => server.deleteKeys(), // else each reclaim looks after every topic that was
    close: () => server.close(),
  });
});

import { join } from 'node:path';
import { describeOn, transportConformance } from '@tidings/testing';
import { SpecRedis } from '../spec-redis.fixture';
import { REDIS_LIST_CAPABILITIES, redisList } from './redis-list.transport';

describeOn('redis', 'lists of Redis as a transport', (url) => {
  let server: SpecRedis;
  transportConformance({
    kind: 'redis-list',
    capabilities: REDIS_LIST_CAPABILITIES,
    open: async () => {
      server = await SpecRedis.at(url);
    },
    create: () => redisList({ ...server.consumingOptions, urls: server.proxy.url }),
    cut: () => Promise.resolve(server.proxy.cut()),
    cutRedelivers: false,
    exempt: {
      'connection cut: the attempt that it ended is counted':
        'a cut ends no attempt: the list of its consumer holds a delivery, and not the connection ("LMOVE")',
    },
    process: {
      module: join(__dirname, 'redis-list.transport.ts'),
      factory: 'redisList',
      options: () => server.consumingOptions,
    },
    afterEach: () => server.deleteKeys(), // else each reclaim looks after every topic that was
    close: () => server.close(),
  });
});

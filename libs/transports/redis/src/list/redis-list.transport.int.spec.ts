import { describeOn, transportConformance } from '@tidings/testing';
import { SpecRedis } from '../spec-redis.fixture';
import { LISTS, LISTS_MODULE } from '../suite-parts.fixture';
import { redisList } from './redis-list.transport';

describeOn('redis', 'lists of Redis as a transport', (url) => {
  let server: SpecRedis;
  transportConformance({
    ...LISTS,
    open: async () => {
      server = await SpecRedis.at(url);
    },
    create: () => redisList({ ...server.consumingOptions, urls: server.proxy.url }),
    cut: () => Promise.resolve(server.proxy.cut()),
    process: { ...LISTS_MODULE, options: () => server.consumingOptions },
    afterEach: () => server.deleteKeys(), // else each reclaim looks after every topic that was
    close: () => server.close(),
  });
});

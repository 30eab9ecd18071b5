import { describeOn, transportConformance } from '@tidings/testing';
import { SpecRedis } from './spec-redis.fixture';
import { STREAMS, STREAMS_MODULE } from './suite-parts.fixture';

describeOn('redis', 'the Redis transport', (url) => {
  let server: SpecRedis;
  transportConformance({
    ...STREAMS,
    open: async () => {
      server = await SpecRedis.at(url);
    },
    // The oldest message kept must be kept for as long as the suite looks: trimming every half second takes what the only group has handled.
    create: () => server.transport({ keepMs: 60_000 }),
    cut: () => Promise.resolve(server.proxy.cut()),
    process: { ...STREAMS_MODULE, options: () => server.directOptions },
    afterEach: () => server.deleteKeys(), // else each reclaim looks after every topic that was
    close: () => server.close(),
  });
});

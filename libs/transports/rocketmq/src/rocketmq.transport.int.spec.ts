import { join } from 'node:path';
import { describeOn, transportConformance } from '@tidings/testing';
import { ROCKETMQ_CAPABILITIES } from './rocketmq.transport';
import { SpecBroker } from './spec-broker.fixture';

describeOn('rocketmq', 'the RocketMQ transport', (url) => {
  let broker: SpecBroker;
  transportConformance({
    kind: 'rocketmq',
    capabilities: ROCKETMQ_CAPABILITIES,
    open: async () => {
      broker = await SpecBroker.at(url);
    },
    create: () => broker.transport(),
    cut: () => Promise.resolve(broker.proxy.cut()),
    cutRedelivers: false,
    process: {
      module: join(__dirname, 'rocketmq.transport.ts'),
      factory: 'rocketmq',
      options: () => broker.directOptions,
    },
    exempt: {
      'connection cut: the attempt that it ended is counted':
        'a lease and not the connection holds a delivery: the cut ends no attempt',
    },
    patience: 3,
    close: () => broker.close(),
  });
});

import { join } from 'node:path';
import { describeOn, transportConformance } from '@tidings/testing';
import { KAFKA_CAPABILITIES } from './kafka-capabilities';
import { SpecBroker } from './spec-broker.fixture';

describeOn('kafka', 'the Kafka transport', (url) => {
  let broker: SpecBroker;
  transportConformance({
    kind: 'kafka',
    capabilities: KAFKA_CAPABILITIES,
    open: async () => {
      broker = await SpecBroker.at(url);
    },
    create: () => broker.transport(),
    cut: () => Promise.resolve(broker.proxy.cut()),
    /** A session holds a consumer's partitions, not its connection. */
    cutRedelivers: false,
    process: {
      module: join(__dirname, 'kafka.transport.ts'),
      factory: 'kafka',
      options: () => broker.directOptions,
    },
    exempt: {
      'a consumer that is stuck holds what it took, and the others get the rest':
        'a consumer holds partitions, not messages',
    },
    close: () => broker.close(),
  });
});

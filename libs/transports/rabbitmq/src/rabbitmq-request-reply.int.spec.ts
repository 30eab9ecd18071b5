import { join } from 'node:path';
import { describeOn, requestReplyConformance } from '@tidings/testing';
import { RABBITMQ_CAPABILITIES } from './rabbitmq.transport';
import { SpecBroker } from './spec-broker.fixture';

describeOn('rabbitmq', 'direct reply-to of RabbitMQ', (url) => {
  let broker: SpecBroker;
  requestReplyConformance({
    kind: 'rabbitmq',
    capabilities: RABBITMQ_CAPABILITIES,
    open: async () => {
      broker = await SpecBroker.at(url);
    },
    create: () => broker.transport(),
    cut: () => Promise.resolve(broker.proxy.cut()),
    process: {
      module: join(__dirname, 'rabbitmq.transport.ts'),
      factory: 'rabbitmq',
      options: () => broker.directOptions,
    },
    close: () => broker.close(),
  });
});

import { requestReplyConformance } from '@tidings/testing';
import { memory, MemoryBroker } from './index';

const broker = new MemoryBroker();

requestReplyConformance({
  kind: 'memory',
  capabilities: memory().capabilities,
  create: () => memory({ broker }),
  cut: () => broker.cut(),
  close: async () => undefined,
});

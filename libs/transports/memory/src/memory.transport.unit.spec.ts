import { type TransportHarness, transportConformance } from '@tidings/testing';
import { memory, MemoryBroker } from './index';

const broker = new MemoryBroker();

const harness: TransportHarness = {
  kind: 'memory',
  capabilities: memory().capabilities,
  create: () => memory({ broker }),
  cut: () => broker.cut(),
  close: async () => undefined,
};

transportConformance(harness);

import { join } from 'node:path';
import { describeOn, requestReplyConformance } from '@tidings/testing';
import { mqttCapabilities } from './mqtt-capabilities';
import { SpecBroker } from './spec-broker.fixture';

describeOn('mqtt', 'response topics of MQTT', (url) => {
  let broker: SpecBroker;
  requestReplyConformance({
    kind: 'mqtt',
    capabilities: mqttCapabilities({ protocol: '5.0', qos: 1 }),
    open: async () => {
      broker = await SpecBroker.at(url);
    },
    create: () => broker.transport(),
    cut: () => Promise.resolve(broker.proxy.cut()),
    process: { module: join(__dirname, 'mqtt.transport.ts'), factory: 'mqtt', options: () => broker.directOptions },
    afterEach: () => broker.settle(),
    close: () => broker.close(),
  });
});

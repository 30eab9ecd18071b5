import { join } from 'node:path';
import { describeOn, transportConformance } from '@tidings/testing';
import { mqttCapabilities } from './mqtt-capabilities';
import { SpecBroker } from './spec-broker.fixture';

describeOn('mqtt', 'the MQTT transport', (url) => {
  let broker: SpecBroker;
  transportConformance({
    kind: 'mqtt',
    capabilities: mqttCapabilities({ protocol: '5.0', qos: 1 }),
    open: async () => {
      broker = await SpecBroker.at(url);
    },
    create: () => broker.transport(),
    cut: () => Promise.resolve(broker.proxy.cut()),
    process: {
      module: join(__dirname, 'mqtt.transport.ts'),
      factory: 'mqtt',
      options: () => broker.directOptions,
    },
    exempt: {
      'a consumer that is stuck holds what it took, and the others get the rest':
        'MQTT 5.0, 4.8.2: a broker chooses the session of a shared subscription when a message is published, whoever may be busy',
    },
    afterEach: () => broker.settle(),
    close: () => broker.close(),
  });
});

import { join } from 'node:path';
import { describeOn, testMessage, transportConformance } from '@tidings/testing';
import { mqttCapabilities } from './mqtt-capabilities';
import { SpecBroker } from './spec-broker.fixture';

/** The same transport by the older protocol, with what that is able to tell. No column of the table: an option of one. */
describeOn('mqtt', 'the MQTT transport by 3.1.1', (url) => {
  let broker: SpecBroker;
  const capabilities = mqttCapabilities({ protocol: '3.1.1', qos: 1 });
  transportConformance({
    kind: 'mqtt',
    capabilities,
    open: async () => {
      broker = await SpecBroker.at(url, { protocol: '3.1.1' });
    },
    create: () => broker.transport(),
    cut: () => Promise.resolve(broker.proxy.cut()),
    process: { module: join(__dirname, 'mqtt.transport.ts'), factory: 'mqtt', options: () => broker.directOptions },
    exempt: {
      'a consumer that is stuck holds what it took, and the others get the rest':
        'a broker chooses the session of a shared subscription when a message is published, whoever may be busy',
    },
    afterEach: () => broker.settle(),
    close: () => broker.close(),
  });

  it('says of itself what it is', async () => {
    const own = await SpecBroker.at(url, { protocol: '3.1.1' });
    const transport = await own.connected();
    expect(transport.capabilities).toEqual(capabilities);
    const results = await transport.publish([{ message: testMessage({ topic: 'nobody' }) }]);
    expect(results).toEqual([{ outcome: 'confirmed' }]); // a PUBACK has no field that could tell
    await own.close();
  });
});

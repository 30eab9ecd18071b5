import { describeOn } from '@tidings/testing';
import { SpecBroker } from '../spec-broker.fixture';
import { KafkaJsAdmin } from './kafkajs-admin';

describeOn('kafka', "kafkajs's admin", (url) => {
  let broker: SpecBroker;
  let admin: KafkaJsAdmin;
  beforeAll(async () => {
    broker = await SpecBroker.at(url);
    admin = new KafkaJsAdmin(broker.kafka);
  });
  afterAll(async () => {
    await admin.close();
    await broker.close();
  });

  it('tells the ends of one topic while it is asked for the partitions of others', async () => {
    const [topic = '', ...others] = Array.from({ length: 30 }, (_, n) => `${broker.prefix}.${n}`);
    await admin.create([topic, ...others].map((name) => ({ topic: name, partitions: 4, replicas: 1, config: {} })));
    for (const other of others) {
      const [ends] = await Promise.all([admin.ends(topic), admin.partitions(other), admin.partitions(other)]);
      expect(ends).toHaveLength(4);
    }
  });
});

// A program that knows kafkajs and docs/wire-format.md, and nothing of Tidings: node plain-kafkajs.cjs HOST:PORT TOPIC-TO-READ TOPIC-TO-ANSWER-ON.
// It answers the first message that it reads with what it found in it.
const { Kafka, logLevel } = require('kafkajs');

const [, , broker, from, to] = process.argv;
const kafka = new Kafka({ clientId: 'plain', brokers: [broker], logLevel: logLevel.ERROR });
const text = (headers) => Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString()]));

async function answerFirst() {
  const [consumer, producer] = [
    kafka.consumer({ groupId: `${from}-plain`, allowAutoTopicCreation: false }),
    kafka.producer(),
  ];
  await Promise.all([consumer.connect(), producer.connect()]);
  await consumer.subscribe({ topics: [from], fromBeginning: true });
  const read = await new Promise((resolve, reject) => {
    consumer.run({ eachMessage: async ({ message, partition }) => resolve({ ...message, partition }) }).catch(reject);
  });
  const found = text(read.headers);
  const answer = {
    ce_specversion: '1.0',
    ce_id: 'plain-1',
    ce_source: 'plain-program',
    ce_type: 'gift.thanked',
    ce_time: '2026-11-27T09:30:00.000Z',
    'content-type': 'application/json',
    correlationid: found.ce_id,
  };
  const value = JSON.stringify({ headers: found, gift: JSON.parse(read.value.toString()), partition: read.partition });
  // By kafkajs's own partitioner.
  await producer.send({ topic: to, messages: [{ key: read.key, value, headers: answer }] });
  await Promise.all([consumer.disconnect(), producer.disconnect()]);
}

answerFirst().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

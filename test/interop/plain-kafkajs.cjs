// A program that knows kafkajs and docs/wire-format.md, and nothing of Tidings: node plain-kafkajs.cjs URL PREFIX TOPIC-TO-READ TOPIC-TO-ANSWER-ON.
// It answers the first message that it reads with what it found in it.
const { Kafka, logLevel } = require('kafkajs');
const { ready, answerTo } = require('./plain-answer.cjs');

const [, , url, prefix, from, to] = process.argv;
const kafka = new Kafka({ clientId: 'plain', brokers: [new URL(url).host], logLevel: logLevel.ERROR });
const ATTRIBUTE = 'ce_';

async function answerFirst() {
  const [consumer, producer] = [
    kafka.consumer({ groupId: `${prefix}.${from}-plain`, allowAutoTopicCreation: false }),
    kafka.producer(),
  ];
  await Promise.all([consumer.connect(), producer.connect()]);
  await consumer.subscribe({ topics: [`${prefix}.${from}`], fromBeginning: true });
  ready();
  const read = await new Promise((resolve, reject) => {
    consumer.run({ eachMessage: async ({ message }) => resolve(message) }).catch(reject);
  });
  const attributes = {};
  const headers = {};
  for (const [name, value] of Object.entries(read.headers)) {
    if (name === 'content-type') attributes.datacontenttype = value.toString();
    else if (name.startsWith(ATTRIBUTE)) attributes[name.slice(ATTRIBUTE.length)] = value.toString();
    else headers[name] = value.toString();
  }
  const answer = answerTo({ attributes, headers, data: read.value.toString() });
  const { datacontenttype, partitionkey: key, ...others } = answer.attributes;
  const written = Object.entries(others).map(([name, value]) => [ATTRIBUTE + name, value]);
  const sent = { 'content-type': datacontenttype, ...Object.fromEntries(written), ...answer.headers };
  // By kafkajs's own partitioner; the key is the record's, and no attribute.
  await producer.send({ topic: `${prefix}.${to}`, messages: [{ key, value: answer.data, headers: sent }] });
  await Promise.all([consumer.disconnect(), producer.disconnect()]);
}

answerFirst().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

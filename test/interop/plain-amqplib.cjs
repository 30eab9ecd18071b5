// A program that knows amqplib and docs/wire-format.md, and nothing of Tidings: node plain-amqplib.cjs URL PREFIX TOPIC-TO-READ TOPIC-TO-ANSWER-ON.
// It answers the first message that it reads with what it found in it.
const { connect } = require('amqplib');
const { laneOf, ready, answerTo } = require('./plain-answer.cjs');

const [, , url, prefix, from, to] = process.argv;
const ATTRIBUTE = 'cloudEvents:';

async function answerFirst() {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, `${prefix}.${from}`, '#');
  const read = await new Promise((resolve, reject) => {
    channel.consume(queue, resolve, { noAck: true }).then(ready, reject);
  });
  const attributes = { datacontenttype: read.properties.contentType };
  const headers = {};
  for (const [name, value] of Object.entries(read.properties.headers)) {
    if (name.startsWith(ATTRIBUTE)) attributes[name.slice(ATTRIBUTE.length)] = value;
    else headers[name] = value;
  }
  const answer = answerTo({ attributes, headers, data: read.content.toString() });
  const { datacontenttype: contentType, ...others } = answer.attributes;
  const written = Object.entries(others).map(([name, value]) => [ATTRIBUTE + name, value]);
  const lane = String(laneOf(others.partitionkey));
  const sent = { contentType, headers: { ...Object.fromEntries(written), ...answer.headers } };
  channel.publish(`${prefix}.${to}`, lane, Buffer.from(answer.data), sent);
  await channel.waitForConfirms();
  await connection.close();
}

answerFirst().catch((error) => {
  console.error(error);
  process.exit(1);
});

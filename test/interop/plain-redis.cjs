// A program that knows ioredis and docs/wire-format.md, and nothing of Tidings: node plain-redis.cjs URL PREFIX TOPIC-TO-READ TOPIC-TO-ANSWER-ON.
// It answers the first message that it reads with what it found in it.
const { Redis } = require('ioredis');
const { laneOf, ready, answerTo } = require('./plain-answer.cjs');

const [, , url, prefix, from, to] = process.argv;

async function answerFirst() {
  const redis = new Redis(url);
  const streams = Number(await redis.get(`${prefix}:{${from}}:streams`));
  const keys = Array.from({ length: streams }, (_, number) => `${prefix}:{${from}}:${number}`);
  ready();
  const [[, [[, fields]]]] = await redis.xread('COUNT', 1, 'BLOCK', 30_000, 'STREAMS', ...keys, ...keys.map(() => '0'));
  const pairs = fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1]]] : []));
  const { data, headers, ...attributes } = Object.fromEntries(pairs);
  const answer = answerTo({ attributes, headers: JSON.parse(headers), data });
  const number = laneOf(answer.attributes.partitionkey) % Number(await redis.get(`${prefix}:{${to}}:streams`));
  const written = { ...answer.attributes, headers: JSON.stringify(answer.headers), data: answer.data };
  await redis.xadd(`${prefix}:{${to}}:${number}`, '*', ...Object.entries(written).flat());
  await redis.quit();
}

answerFirst().catch((error) => {
  console.error(error);
  process.exit(1);
});

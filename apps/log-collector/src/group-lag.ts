import { Kafka, logLevel } from 'kafkajs';

/** Records of a topic that a group has not settled yet, as any operator sees it: without Tidings. */
export async function groupLag(url: string, topic: string, groupId: string): Promise<number> {
  const admin = new Kafka({ brokers: [new URL(url).host], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const ends = await admin.fetchTopicOffsets(topic);
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const places = new Map(committed?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    return ends.reduce((lag, { partition, high }) => lag + Number(high) - Math.max(0, places.get(partition) ?? 0), 0);
  } finally {
    await admin.disconnect();
  }
}

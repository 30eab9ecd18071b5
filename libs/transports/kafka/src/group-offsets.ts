import type { Subscription } from '@tidings/core';
import { codeOfKafka, type CommittedOffset, type KafkaAdmin } from './client/kafka-client';

/** What the broker says to a commit from outside of a group that has consumers. */
export const isGroupActive = (error: unknown): boolean =>
  ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'].includes(codeOfKafka(error) ?? '');

/**
 * Gives a new group its places in a topic, so that what is published from now on reaches it, whether it has consumers or not. Whoever comes at the same
 * time is harmless: the topic's ends are asked for before the group's places, so nobody's `now` is later than when another was told that the group stands.
 */
export async function placeGroup(
  admin: KafkaAdmin,
  groupId: string,
  topic: string,
  from: Subscription['from'],
): Promise<void> {
  const ends = await admin.ends(topic);
  const placed = await admin.committed(groupId, topic, ends.length);
  const missing = ends.filter(({ partition }) => !placed.some((one) => one.partition === partition && one.offset >= 0));
  if (missing.length === 0) return;
  const offsets = missing.map(({ partition, low, high }): CommittedOffset => ({
    topic,
    partition,
    offset: from === 'earliest' ? low : high,
    metadata: '',
  }));
  try {
    await admin.commit(groupId, offsets);
  } catch (error) {
    // Its consumers were faster: all of the group's places stood before the first of them joined.
    if (!isGroupActive(error)) throw error;
  }
}

/** True when the group has a place in the topic: what is published waits for it, for as long as the broker keeps places of groups without consumers. */
export async function hasPlace(admin: KafkaAdmin, groupId: string, topic: string): Promise<boolean> {
  const partitions = await admin.partitions(topic);
  if (partitions === 0) return false;
  const placed = await admin.committed(groupId, topic, partitions);
  return placed.some(({ offset }) => offset >= 0);
}

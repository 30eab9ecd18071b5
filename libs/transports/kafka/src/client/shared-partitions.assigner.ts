import { AssignerProtocol, type Cluster, type PartitionAssigner } from 'kafkajs';

/**
 * Deals partition numbers, not partitions: whoever gets number 3 of a topic gets number 3 of all topics of the group. A key's messages, its retries and
 * its redrives so meet in one process. `seen` gets the cluster behind the consumer, which kafkajs hands to assigners.
 */
export const sharedPartitionsAssigner =
  (seen: (cluster: Cluster) => void): PartitionAssigner =>
  ({ cluster }) => {
    seen(cluster);
    const name = 'TidingsSharedPartitions';
    const version = 0;
    return {
      name,
      version,
      assign({ members, topics }) {
        const ids = members.map(({ memberId }) => memberId).sort();
        const shares = new Map<string, Record<string, number[]>>(ids.map((id) => [id, {}]));
        for (const topic of topics) {
          for (const { partitionId } of cluster.findTopicPartitionMetadata(topic))
            (shares.get(ids[partitionId % ids.length]!)![topic] ??= []).push(partitionId);
        }
        return Promise.resolve(
          ids.map((memberId) => ({
            memberId,
            memberAssignment: AssignerProtocol.MemberAssignment.encode({
              version,
              assignment: shares.get(memberId)!,
              userData: Buffer.alloc(0),
            }),
          })),
        );
      },
      protocol: ({ topics }) => ({
        name,
        metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData: Buffer.alloc(0) }),
      }),
    };
  };

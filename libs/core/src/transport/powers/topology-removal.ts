import type { Transport } from '../transport';

/** Optional power: deletes at the broker what the transport declared there. For decommissioning, and for tests and demos that leave nothing behind. */
export interface TopologyRemoval {
  /**
   * Deletes the topic and what belongs to these groups on it, for good: waiting messages, delayed ones and native dead letters with them. Nobody may
   * be using them. Idempotent: what does not exist is no error. Connects first, if nobody has. Rejects when the broker is away; called again it goes on.
   */
  removeTopic(topic: string, groups: readonly string[]): Promise<void>;
}

export const hasTopologyRemoval = (transport: Transport): transport is Transport & TopologyRemoval =>
  'removeTopic' in transport;

import { hasTopologyRemoval } from '@tidings/core';
import type { BrokerPlace } from './broker';
import { type BrokerName, BROKERS } from './broker-table';

/** Deletes at the broker what a run declared there: each topic, with what belongs to its groups. */
export async function removeTraces(
  name: BrokerName,
  place: BrokerPlace,
  groupsOf: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const transport = await BROKERS[name].open(place);
  if (!hasTopologyRemoval(transport)) return; // nothing that stays
  try {
    for (const [topic, groups] of groupsOf) await transport.removeTopic(topic, groups);
  } finally {
    await transport.close();
  }
}

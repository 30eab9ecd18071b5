import { hasTopologyRemoval } from '@tidings/core';
import type { BrokerPlace } from './broker';
import { type BrokerName, BROKERS } from './broker-table';

/** Deletes at the broker what a run declared there: each topic, with what belongs to these groups on it. */
export async function removeTraces(
  name: BrokerName,
  place: BrokerPlace,
  topics: readonly string[],
  groups: readonly string[],
): Promise<void> {
  const transport = await BROKERS[name].open(place);
  if (!hasTopologyRemoval(transport)) return; // nothing that stays
  try {
    for (const topic of topics) await transport.removeTopic(topic, groups);
  } finally {
    await transport.close();
  }
}

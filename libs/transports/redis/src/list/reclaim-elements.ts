import { moveElement } from '../lua/move-element';
import type { RedisConnection } from '../redis-connection';
import { comesAgain, fromElement, letterFields } from './list-element';

export interface HeldList {
  readonly base: string;
  readonly topic: string;
  readonly group: string;
  readonly consumer: string;
  /** False: the consumer's name is this process's own by now. */
  readonly dead: boolean;
}

export interface ReclaimedElements {
  readonly reclaimed: number;
  /** Poison: now among the group's dead letters. */
  readonly buried: number;
}

/**
 * Takes back what a dead consumer holds, its death counted as an attempt; what too many died with becomes a dead letter. Element by element: of two that
 * reclaim, one gets it, and a consumer that lives again loses no more.
 */
export async function reclaimElements(
  connection: RedisConnection,
  { base, topic, group, consumer, dead }: HeldList,
  { poisonAfter }: { readonly poisonAfter: number },
): Promise<ReclaimedElements> {
  const held = (await connection.call('LRANGE', [`${base}:g:${group}:taken:${consumer}`, 0, -1])) as Buffer[];
  const counts = { reclaimed: 0, buried: 0 };
  for (const element of held) {
    const { attempts, deaths } = toldBy(element, topic);
    const poison = deaths + 1 >= poisonAfter;
    const reason = `redis: ${poisonAfter} process(es) died while they handled it`;
    const moved = await moveElement(connection, base, { group, consumer, dead }, element, poison
      ? { to: 'dead', fields: letterFields(element, topic, reason, attempts + 1) }
      : { to: 'head', element: comesAgain(element, { attempts: attempts + 1, deaths: deaths + 1 }) }); // prettier-ignore
    if (!moved) continue;
    if (poison) counts.buried += 1;
    else counts.reclaimed += 1;
  }
  return counts;
}

/** Of what is no message nothing is known: its next consumer buries it. */
function toldBy(element: Buffer, topic: string): { readonly attempts: number; readonly deaths: number } {
  try {
    return fromElement(element, topic);
  } catch {
    return { attempts: 0, deaths: 0 };
  }
}

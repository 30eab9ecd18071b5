import { type DestinationParking, laneOf, type OutgoingMessage } from '@tidings/core';

/**
 * What a relay knows of parked keys. A lane's keys are parked by whoever holds the lane, so a holder that has found its destination without parked keys,
 * and has parked none since, need not ask again for as long as it holds the lane: the usual batch costs no statement.
 */
export class ParkedLanes {
  /** By destination and lane: the epoch in which nothing was parked there. */
  readonly #clean = new Map<string, number>();

  constructor(private readonly parking: DestinationParking) {}

  /** What is to become of each message, as in DestinationParking.follow. All of one destination and lane. */
  async follow(place: string, messages: readonly OutgoingMessage[]): Promise<readonly ('free' | 'parked' | 'full')[]> {
    const free = messages.map(() => 'free' as const);
    const [first] = messages;
    const epoch = first?.stamp?.epoch;
    if (!first || (epoch !== undefined && this.#clean.get(nameOf(place, first)) === epoch)) return free;
    if (!(await this.parking.anyParked(place))) {
      if (epoch !== undefined) this.#clean.set(nameOf(place, first), epoch);
      return free;
    }
    const keyed = messages.filter(({ message }) => message.key !== null);
    const followed = await this.parking.follow(place, keyed);
    return messages.map((one) => (one.message.key === null ? 'free' : followed[keyed.indexOf(one)]!));
  }

  /** Parks the key of a message that is a dead letter. A message without a key has nobody behind it. */
  async parkDead(place: string, head: OutgoingMessage, reason: string): Promise<'parked' | 'full'> {
    if (head.message.key === null) return 'parked';
    this.#clean.delete(nameOf(place, head));
    return this.parking.parkDead(place, head, reason);
  }
}

const nameOf = (place: string, { message, group = '' }: OutgoingMessage): string =>
  JSON.stringify([place, group, laneOf(message)]);

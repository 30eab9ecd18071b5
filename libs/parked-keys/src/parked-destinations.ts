import type { DestinationParking, OutgoingMessage } from '@tidings/core';
import { outboundPlace } from './parked-identity';
import type { ParkedKeys } from './parked-keys';
import type { ParkedMessage } from './parked-message';
import { hasParkedKeys } from './sql/has-parked-keys';

/** The parked keys of a store's relays. */
export class ParkedDestinations implements DestinationParking {
  constructor(private readonly parkedKeys: ParkedKeys) {}

  anyParked(place: string): Promise<boolean> {
    return hasParkedKeys(this.parkedKeys.store, outboundPlace(place));
  }

  async parkDead(place: string, head: OutgoingMessage, reason: string): Promise<'parked' | 'full'> {
    return this.parkedKeys.park(outboundPlace(place), parkedOf(head), { attempts: 1, reason });
  }

  async follow(place: string, messages: readonly OutgoingMessage[]): Promise<readonly ('free' | 'parked' | 'full')[]> {
    const followed = await this.parkedKeys.follow(outboundPlace(place), messages.map(parkedOf));
    return followed.map((one) => (one === 'head' ? 'parked' : one)); // its letter and its key are durable, only the cursor did not move
  }
}

/** Without its stamp: what leaves a parked key leaves out of its lane's sequence, and a consumer must not take it for a stalled relay's copy. */
const parkedOf = ({ message, group, route }: OutgoingMessage): ParkedMessage => ({
  message,
  ...(group !== undefined && { group }),
  ...(route && { route }),
});

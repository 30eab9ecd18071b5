import type { KeyParking, Message, ParkedHead, Store } from '@tidings/core';
import { type Direction, identityOf, inboundPlace, outboundPlace, type ParkedPlace } from './parked-identity';
import { type CheckedParkedKeysOptions, checkParkedKeysOptions, type ParkedKeysOptions } from './parked-keys.options';
import { ParkedLookup } from './parked-lookup';
import type { ParkedMessage } from './parked-message';
import { type Followed, followParkedKeys } from './sql/follow-parked-key';
import { listParkedPlaces } from './sql/list-parked-places';
import { type HeadFailure, parkKey } from './sql/park-key';
import { resumeParkedKey } from './sql/resume-parked-key';

type Keyed = Message & { readonly key: string };

/**
 * The parked keys of a store: who parks one, who waits behind it, who lets it go on. All statements go by Tidings' own connections: they must not
 * wait for the handlers' pool.
 *
 * Order: a key is parked before its head is acknowledged, so whoever is handed a follower later, in whatever process, finds it parked. A follower is
 * appended under a share lock on the key's row; the releaser looks for a next one, and takes the row away when there is none, under the exclusive
 * lock. So a follower either lands behind what was appended before, or finds the key free when all of that is done.
 */
export class ParkedKeys implements KeyParking {
  readonly options: CheckedParkedKeysOptions;
  readonly #lookup: ParkedLookup;
  readonly #listeners = new Set<(direction: Direction, inMs: number) => void>();

  /** @throws OptionsError that names the bad option below `parking`. */
  constructor(
    readonly store: Store,
    options: ParkedKeysOptions = {},
  ) {
    this.options = checkParkedKeysOptions(options);
    this.#lookup = new ParkedLookup(store);
  }

  /** Is the key parked there? Those who ask at the same time share one statement. */
  isParked(place: ParkedPlace, key: string): Promise<boolean> {
    return this.#lookup.isParked(identityOf(place, key));
  }

  /** Parks the key of a failed message. Durable when it resolves. `full`: the place has too many parked keys, and this one is not. */
  async park(place: ParkedPlace, head: ParkedMessage, failure: HeadFailure): Promise<'parked' | 'full'> {
    const outcome = await parkKey(this.store, place, head as ParkedMessage & { message: Keyed }, failure, this.options);
    if (outcome === 'parked' && failure.delayMs !== undefined) this.#tell(place.direction, failure.delayMs);
    return outcome;
  }

  /** Puts messages behind their keys' heads, in the order given; see `Followed`. Durable when it resolves; a copy is kept once. */
  follow(place: ParkedPlace, messages: readonly ParkedMessage[]): Promise<readonly Followed[]> {
    return messages.length === 0
      ? Promise.resolve([])
      : followParkedKeys(this.store, place, messages, this.options.maxFollowers);
  }

  async resume(
    { direction, place, message }: ParkedHead,
    how: { readonly kind: 'again'; readonly message: Message } | { readonly kind: 'discard' },
  ): Promise<'resumed' | 'not-parked'> {
    if (message.key === null) return 'not-parked';
    const at = direction === 'inbound' ? inboundPlace({ group: place, topic: message.topic }) : outboundPlace(place);
    const again = how.kind === 'again' ? { message: how.message } : undefined;
    const outcome = await resumeParkedKey(this.store, at, message as Keyed, again);
    if (outcome === 'resumed') this.#tell(direction, 0);
    return outcome;
  }

  /** Where keys are parked just now. */
  places(direction: Direction): Promise<readonly string[]> {
    return listParkedPlaces(this.store, direction);
  }

  /** Calls `listener` when this process has made a key of the direction due in so many milliseconds. */
  onDue(listener: (direction: Direction, inMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(direction: Direction, inMs: number): void {
    for (const listener of this.#listeners) listener(direction, inMs);
  }
}

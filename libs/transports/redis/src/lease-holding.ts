/** A stream that this consumer reads, and what it has of it. Of a shared group there is one for all streams. */
export interface LeaseHolding {
  readonly number: number;
  /** False when the lease is lost: what was taken is somebody else's, it is neither handled nor settled here. */
  alive: boolean;
  /** What earlier consumers left is not taken over yet; it comes before anything new. */
  adopt: boolean;
  /** Nothing more is taken: it goes to another consumer when all that was taken is settled. */
  leaving: boolean;
  unsettled: number;
  /** A read of it is under way, whose entries are not counted yet. */
  taking: boolean;
}

export const newHolding = (number: number, adopt: boolean): LeaseHolding => ({
  number,
  alive: true,
  adopt,
  leaving: false,
  unsettled: 0,
  taking: false,
});

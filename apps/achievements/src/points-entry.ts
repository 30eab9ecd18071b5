/** A change of a viewer's points, and what for. */
export interface PointsEntry {
  readonly viewerId: string;
  readonly kind: 'granted' | 'redeemed' | 'refunded';
  /** Negative where they are spent. */
  readonly points: number;
  /** The gift, or the redemption. */
  readonly reference: string;
}

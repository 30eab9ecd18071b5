/** `GET /viewers/:id/points`. */
export interface PointsView {
  readonly viewerId: string;
  readonly points: number;
}

/** `PUT /redemptions/:id` and `GET /redemptions/:id`. */
export interface RedemptionView {
  readonly redemptionId: string;
  readonly viewerId: string;
  readonly roomId: string;
  readonly gift: string;
  readonly points: number;
  /** Why the points were refunded; null: they were not. */
  readonly refusal: string | null;
}

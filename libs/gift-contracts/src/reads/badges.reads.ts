/** `GET /viewers/:id/badge`, and an array of these from `GET /viewers?limit`, the richest first. */
export interface BadgeView {
  readonly viewerId: string;
  readonly gifts: number;
  readonly amountMinor: number;
  /** 0 for no badge yet. */
  readonly level: number;
  readonly badge: string;
  /** What is missing to the next level; null at the highest. */
  readonly toNextMinor: number | null;
}

/** `GET /totals` of badges. */
export interface BadgeTotals {
  readonly gifts: number;
  readonly amountMinor: number;
  readonly totals: readonly { readonly viewerId: string; readonly gifts: number; readonly amountMinor: number }[];
}

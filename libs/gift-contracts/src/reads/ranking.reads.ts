/** One viewer's place in a room. */
export interface RankedViewer {
  readonly viewerId: string;
  readonly gifts: number;
  readonly amountMinor: number;
}

/** `GET /rooms/:id/ranking?top=10`: best first. */
export interface RankingView {
  readonly roomId: string;
  readonly top: readonly RankedViewer[];
}

/** `GET /totals` of ranking. */
export interface RankingTotals {
  readonly gifts: number;
  readonly amountMinor: number;
  readonly totals: readonly (RankedViewer & { readonly roomId: string })[];
}

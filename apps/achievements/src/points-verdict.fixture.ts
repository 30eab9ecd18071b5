/** What both databases hold in the end. */
export interface PointsEvidence {
  readonly accounts: readonly { readonly viewerId: string; readonly points: number }[];
  readonly entries: readonly {
    readonly viewerId: string;
    readonly kind: string;
    readonly points: number;
    readonly reference: string;
  }[];
  readonly redemptions: readonly {
    readonly redemptionId: string;
    readonly viewerId: string;
    readonly points: number;
    readonly refusal: string | null;
  }[];
  /** Of gift-api: what a viewer was given for points, how often. */
  readonly given: ReadonlyMap<string, number>;
  /** Gifts that points were granted for. */
  readonly gifts: readonly { readonly giftId: string; readonly viewerId: string; readonly points: number }[];
}

/** What is wrong with them; nothing when points were neither lost nor made. Expects one redemption a viewer. */
export function pointsVerdict({ accounts, entries, redemptions, given, gifts }: PointsEvidence): string[] {
  const problems: string[] = [];
  const expectOnce = (kind: string, reference: string, points: number, times: number): void => {
    const found = entries.filter((entry) => entry.kind === kind && entry.reference === reference);
    const sums = found.every((entry) => entry.points === points);
    if (found.length !== times || !sums)
      problems.push(`${kind} ${reference}: expected ${times} × ${points}, found ${found.map((entry) => entry.points).join(', ') || 'none'}`); // prettier-ignore
  };
  for (const { giftId, points } of gifts) expectOnce('granted', giftId, points, points > 0 ? 1 : 0);
  for (const { redemptionId, viewerId, points, refusal } of redemptions) {
    const times = given.get(viewerId) ?? 0;
    expectOnce('redeemed', redemptionId, -points, 1);
    expectOnce('refunded', redemptionId, points, refusal === null ? 0 : 1);
    if (times !== (refusal === null ? 1 : 0))
      problems.push(`${redemptionId}: ${refusal === null ? 'accepted' : `refused (${refusal})`}, and given ${times} times`); // prettier-ignore
  }
  for (const { viewerId, points } of accounts) {
    const booked = entries.filter((entry) => entry.viewerId === viewerId).reduce((sum, entry) => sum + entry.points, 0);
    if (points !== booked) problems.push(`${viewerId}: has ${points} points, and ${booked} are booked`);
  }
  return problems;
}

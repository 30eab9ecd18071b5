import type {
  BadgeTotals,
  GiftTotals,
  GiftView,
  LedgerEntryView,
  RankingTotals,
  RevenueTotals,
} from '@tidings/gift-contracts';

/** The groups that a gift must reach. */
export const GROUPS = ['ranking', 'revenue-share', 'badges'] as const;
export type GroupName = (typeof GROUPS)[number];

export type HistoryEvent = 'delivered' | 'handling' | 'settled' | 'killed' | 'dropped' | 'rolled-back';

/** One row of `demo.history`: what an app saw, written outside its handlers' transactions so that a rollback cannot take it back. */
export interface HistoryRow {
  /** Ascends as rows are written, over all apps. */
  readonly id: number;
  readonly app: string;
  readonly event: HistoryEvent;
  readonly messageId: string;
  readonly giftId: string | null;
}

/** What a client was told about one of its requests: 200 or 201. */
export interface Answer {
  readonly idempotencyKey: string;
  readonly giftId: string;
  readonly amountMinor: number;
}

/** All that a verdict may rest on: what the clients were told, the history, and the apps' HTTP reads. No counter of anybody's memory. */
export interface Evidence {
  readonly answers: readonly Answer[];
  readonly accepted: readonly GiftView[];
  readonly giftTotals: GiftTotals;
  readonly history: readonly HistoryRow[];
  readonly ranking: RankingTotals;
  readonly ledger: readonly LedgerEntryView[];
  readonly revenue: RevenueTotals;
  readonly badges: BadgeTotals;
}

export type LedgerAccount = 'streamer' | 'platform';

/** One line of the ledger; each gift has two. `GET /ledger?after&limit` as JSON, or `&format=ndjson`: one a line, all of them without a limit. */
export interface LedgerEntryView {
  readonly id: number;
  readonly giftId: string;
  readonly roomId: string;
  readonly streamerId: string;
  readonly account: LedgerAccount;
  readonly amountMinor: number;
}

export interface LedgerPage {
  readonly entries: readonly LedgerEntryView[];
  /** `after` of the next page; null when this page was not full. */
  readonly next: number | null;
}

/** `GET /streamers/:id/revenue`. */
export interface RevenueView {
  readonly streamerId: string;
  readonly gifts: number;
  /** The streamer's own share. */
  readonly amountMinor: number;
  readonly platformMinor: number;
}

/** `GET /totals` of revenue-share. */
export interface RevenueTotals {
  readonly entries: number;
  readonly amountMinor: number;
  readonly totals: readonly RevenueTotal[];
}

export interface RevenueTotal {
  readonly streamerId: string;
  readonly account: LedgerAccount;
  readonly entries: number;
  readonly amountMinor: number;
}

import type { GiftSent } from '../messages/gift-sent';

/** `POST /gifts`: 201, or 200 with `Idempotency-Replayed: true` for a repeated key. */
export interface GiftView extends GiftSent {
  /** gift-api's running number over all rooms: pages are read by it. */
  readonly seq: number;
  readonly idempotencyKey: string | null;
}

/** `GET /gifts?roomId&after&limit`: ascending by `seq`, those past `after`. `GET /gifts?roomId&newest=true&limit`: the latest first. */
export interface GiftPage {
  readonly gifts: readonly GiftView[];
  /** `after` of the next page; null when this page was not full. */
  readonly next: number | null;
}

/** `POST /intake/gifts`: 202. */
export interface GiftReceipt {
  readonly requestId: string;
}

/** `GET /rooms`: an array of these. */
export interface RoomView {
  readonly roomId: string;
  readonly title: string;
  readonly streamerId: string;
  readonly streamerName: string;
  /** The ordinal of the room's last gift; 0 when there was none. */
  readonly ordinal: number;
}

/** `GET /catalogue`: an array of these. */
export interface CatalogueEntry {
  readonly gift: string;
  readonly emoji: string;
  readonly priceMinor: number;
}

/** `GET /totals` of gift-api: what the other apps' sums are held against. */
export interface GiftTotals {
  readonly gifts: number;
  readonly amountMinor: number;
  readonly totals: readonly GiftTotal[];
}

export interface GiftTotal {
  readonly roomId: string;
  readonly streamerId: string;
  readonly viewerId: string;
  readonly gifts: number;
  readonly amountMinor: number;
}

/** `GET /backlog`: messages published and not yet passed on, and where `POST /gifts` begins to answer 503. */
export interface BacklogView {
  readonly backlog: number;
  readonly limit: number;
}

import type { BadgeUpgraded } from '../messages/badge-upgraded';
import type { GiftSent } from '../messages/gift-sent';
import type { RankingChanged } from '../messages/ranking-changed';

/** What a client may send to the gateway; both are acknowledged with `{ roomId }`, or `{ error }`. */
export interface RoomCommands {
  join(room: { readonly roomId: string }): void;
  leave(room: { readonly roomId: string }): void;
}

/** What the clients of a room hear. */
export interface RoomEvents {
  gift(gift: GiftSent): void;
  ranking(ranking: RankingChanged): void;
  badge(badge: BadgeUpgraded): void;
}

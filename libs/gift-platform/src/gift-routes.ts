import { BadgeUpgraded, GiftSent, RankingChanged } from '@tidings/gift-contracts';
import { type Route, route } from '@tidings/messaging';
import type { AppName } from './app-name';

/**
 * Where an app's messages go and come from. With a transport for the rooms, a gift goes to both, and what only screens show goes to the rooms alone. Only
 * gift-api publishes gifts: to the others the contract means the one place where they handle it.
 */
export function giftRoutes(app: AppName, hasRooms: boolean): readonly Route[] {
  const everything = route('*').to('main');
  if (!hasRooms) return [everything];
  if (app === 'room-gateway') return [route('*').to('rooms')];
  const shown = [RankingChanged, BadgeUpgraded].map(({ type }) => route(type).to('rooms'));
  return app === 'gift-api' ? [route(GiftSent.type).to('main', 'rooms'), ...shown, everything] : [...shown, everything];
}

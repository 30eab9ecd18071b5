import type { BadgeView } from '@tidings/gift-contracts';

/** A badge and the sum from which a viewer wears it, lowest first. */
const BADGES = [
  { badge: 'none', fromMinor: 0 },
  { badge: 'bronze', fromMinor: 500 },
  { badge: 'silver', fromMinor: 2_500 },
  { badge: 'gold', fromMinor: 10_000 },
  { badge: 'platinum', fromMinor: 50_000 },
  { badge: 'diamond', fromMinor: 250_000 },
] as const;

/** The badge of a sum. It follows from the sum alone, so the order in which gifts arrive does not matter in the end. */
export function badgeLevel(amountMinor: number): Pick<BadgeView, 'level' | 'badge' | 'toNextMinor'> {
  const level = BADGES.findLastIndex((entry) => amountMinor >= entry.fromMinor);
  const next = BADGES[level + 1];
  return { level, badge: BADGES[level]?.badge ?? 'none', toNextMinor: next ? next.fromMinor - amountMinor : null };
}

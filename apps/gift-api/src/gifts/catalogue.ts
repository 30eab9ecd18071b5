import type { CatalogueEntry } from '@tidings/gift-contracts';

/** What can be given. Prices are kept here, not sent by clients. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  { gift: 'rose', emoji: '🌹', priceMinor: 10 },
  { gift: 'heart', emoji: '💖', priceMinor: 50 },
  { gift: 'cake', emoji: '🎂', priceMinor: 120 },
  { gift: 'rocket', emoji: '🚀', priceMinor: 500 },
  { gift: 'dragon', emoji: '🐉', priceMinor: 1_999 },
  { gift: 'castle', emoji: '🏰', priceMinor: 5_000 },
];

export const priceOf = (gift: string): number | undefined => CATALOGUE.find((entry) => entry.gift === gift)?.priceMinor;

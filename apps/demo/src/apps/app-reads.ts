import { systemClock, TidingsError } from '@tidings/core';
import type {
  BadgeTotals,
  CatalogueEntry,
  GiftPage,
  GiftTotals,
  GiftView,
  LedgerEntryView,
  LedgerPage,
  RankingTotals,
  RevenueTotals,
  RoomView,
} from '@tidings/gift-contracts';
import type { CallbackMeasures, ExpectedSubscription } from '@tidings/messaging';
import type { AppName } from './app-fleet';

/** Undefined while the app is away. */
export type AppAddress = (name: AppName) => string | undefined;

/** An app does not answer as it should, after several tries. */
export class AppReadError extends TidingsError {
  constructor(
    readonly app: AppName,
    readonly path: string,
    found: string,
  ) {
    super('DEMO_APP_READ', `GET ${path} of ${app}: expected JSON, found ${found}`);
  }
}

const TRIES = 40;
const BETWEEN_MS = 250;
const PAGE = 500;

/** The apps' HTTP reads. An app that is just being restarted is asked again for about ten seconds. */
export class AppReads {
  constructor(private readonly addressOf: AppAddress) {}

  rooms = (): Promise<readonly RoomView[]> => this.#get('gift-api', '/rooms');
  catalogue = (): Promise<readonly CatalogueEntry[]> => this.#get('gift-api', '/catalogue');
  giftTotals = (): Promise<GiftTotals> => this.#get('gift-api', '/totals');
  rankingTotals = (): Promise<RankingTotals> => this.#get('ranking', '/totals');
  revenueTotals = (): Promise<RevenueTotals> => this.#get('revenue-share', '/totals');
  badgeTotals = (): Promise<BadgeTotals> => this.#get('badges', '/totals');

  callbackMeasures = (): Promise<CallbackMeasures> => this.#get('callback-service', '/callback/measures');
  callbackSubscriptions = (): Promise<readonly ExpectedSubscription[]> =>
    this.#get('callback-service', '/callback/subscriptions');

  /** Every gift, page by page. */
  async gifts(): Promise<GiftView[]> {
    const all: GiftView[] = [];
    for (let after: number | null = 0; after !== null;) {
      const page: GiftPage = await this.#get('gift-api', `/gifts?after=${after}&limit=${PAGE}`);
      all.push(...page.gifts);
      after = page.next;
    }
    return all;
  }

  /** Every line of the ledger, page by page. */
  async ledger(): Promise<LedgerEntryView[]> {
    const all: LedgerEntryView[] = [];
    for (let after: number | null = 0; after !== null;) {
      const page: LedgerPage = await this.#get('revenue-share', `/ledger?after=${after}&limit=${PAGE}`);
      all.push(...page.entries);
      after = page.next;
    }
    return all;
  }

  async #get<T>(app: AppName, path: string): Promise<T> {
    let found = 'nobody there';
    for (let tries = 0; tries < TRIES; tries++) {
      if (tries > 0) await systemClock.wait(BETWEEN_MS);
      const address = this.addressOf(app);
      if (!address) continue;
      try {
        const response = await fetch(address + path, { signal: AbortSignal.timeout(10_000) });
        if (response.ok) return (await response.json()) as T;
        found = `status ${response.status}: ${(await response.text()).slice(0, 300)}`;
        if (response.status < 500) break;
      } catch (error) {
        found = String(error);
      }
    }
    throw new AppReadError(app, path, found);
  }
}

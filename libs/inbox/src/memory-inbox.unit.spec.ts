import { dateOf, MemoryStore, systemClock } from '@tidings/core';
import { type InboxHarness, inboxStoreConformance } from './inbox-store.conformance';
import { MemoryInbox } from './memory-inbox';

const RETENTION_DAYS = 5;
const DAY_MS = 86_400_000;

describe('MemoryInbox', () => {
  let inbox: MemoryInbox;
  let effects: number;
  let aheadMs: number;
  const now = (): number => systemClock.now() + aheadMs;

  beforeEach(() => {
    [effects, aheadMs] = [0, 0];
    const options = { retentionDays: RETENTION_DAYS, lockTimeoutMs: 50 };
    inbox = new MemoryInbox(new MemoryStore(), options, { ...systemClock, now });
  });

  inboxStoreConformance((): InboxHarness => ({
    inbox,
    effect: async (transaction) => transaction!.afterCommit(() => void (effects += 1)),
    effects: async () => effects,
    setDaysAhead: async (days) => void (aheadMs = days * DAY_MS),
    day: async (daysAgo = 0) => dateOf(now() - daysAgo * DAY_MS),
    retentionDays: RETENTION_DAYS,
    dropExpired: async () => inbox.dropExpired(),
  }));
});

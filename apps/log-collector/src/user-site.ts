import { randomUUID } from 'node:crypto';
import { systemClock } from '@tidings/core';
import { type MessagePublisher, PublishFailedError } from '@tidings/messaging';
import { ACTIONS, UserActed } from './user-acted';
import { windowCounts, type WindowCount } from './window-counts';

const BATCH = 200;
const USERS = 500;
/** One event each 20 ms of the users' time: 3,000 a window. */
const EVERY_MS = 20;
const BEGIN_MS = Date.UTC(2026, 0, 1);
const AGAIN_MS = 200;
const GIVE_UP_MS = 60_000;

/** Sends what so many users do, batch by batch; resolves with what was confirmed, by window. A batch that was not comes again under its ids. */
export async function tellActions(publisher: MessagePublisher, count: number, seed: number): Promise<WindowCount[]> {
  const events = Array.from({ length: count }, (_, n) => eventOf(n, seed));
  for (let at = 0; at < count; at += BATCH) {
    const batch = events.slice(at, at + BATCH).map((payload) => ({ contract: UserActed, payload, options: { id: randomUUID() } }));
    await confirmed(() => publisher.publishAll(batch));
  }
  return windowCounts(events);
} // prettier-ignore

async function confirmed(publish: () => Promise<unknown>): Promise<void> {
  const untilMs = systemClock.monotonic() + GIVE_UP_MS;
  for (;;) {
    try {
      await publish();
      return;
    } catch (error) {
      const passing = error instanceof PublishFailedError && error.reason === 'transient';
      if (!passing || systemClock.monotonic() > untilMs) throw error;
      await systemClock.wait(AGAIN_MS);
    }
  }
}

/** The same seed, the same users doing the same. */
function eventOf(n: number, seed: number): UserActed {
  const mixed = Math.imul(n + 1, 2_654_435_761) ^ Math.imul(seed, 40_503);
  const luck = (mixed >>> 8) / 2 ** 24;
  const action = ACTIONS[luck < 0.6 ? 0 : luck < 0.8 ? 1 : luck < 0.95 ? 2 : 3];
  return { userId: `user-${(mixed >>> 0) % USERS}`, action, atMs: BEGIN_MS + n * EVERY_MS };
}

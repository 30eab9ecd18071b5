import type { Pool } from 'pg';
import { type Clock, TidingsError } from '@tidings/core';
import { GiftSent } from '@tidings/gift-contracts';
import type { AppReads } from '../apps/app-reads';
import { GROUPS } from './evidence';
import { countConfirmations } from './sql/count-confirmations';
import { countInboxEntries } from './sql/count-inbox-entries';

/** What the callback service did, and what it had to do. */
export interface CallbackFigures {
  /** Gifts that were confirmed to gift-api and then lost, and whether that was asked for. */
  readonly dropped: number;
  readonly dropping: boolean;
  readonly resends: number;
  /** Confirmations of a group that was sent a gift again although it had handled it. */
  readonly falseAlarms: number;
  /** Confirmations that are missing, of accepted gifts, or checks that are open. */
  readonly unconfirmed: number;
  /** Gifts whose transaction rolled back after their recheck had gone out. */
  readonly rolledBack: number;
  /** Of these, those that the sender said never happened. */
  readonly never: number;
  readonly rolledBackInInbox: number;
  /** Of accepted gifts: one a group, or the look at inboxes proves nothing. */
  readonly acceptedInInbox: number;
  /** Gifts that were given up. */
  readonly wornOut: number;
}

export interface CallbackRoundSetup {
  readonly reads: Pick<AppReads, 'callbackMeasures'>;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly dropping: boolean;
  readonly accepted: readonly string[];
  readonly dropped: readonly string[];
  readonly rolledBack: readonly string[];
}

const EVERY_MS = 250;
/** A recheck is on its way for 10 s; the first questions are 5, 10 and 20 s apart. */
const IDLE_MS = 45_000;
const WITHIN_MS = 180_000;
const REGISTERED_WITHIN_MS = 60_000;

/** Resolves when the callback service expects all groups: what was sent before that would be expected of nobody. */
export async function untilExpected(reads: Pick<AppReads, 'callbackSubscriptions'>, clock: Clock): Promise<void> {
  const begin = clock.monotonic();
  for (;;) {
    const known = (await reads.callbackSubscriptions()).filter(({ type }) => type === GiftSent.type);
    const missing = GROUPS.filter((group) => !known.some((one) => one.group === group));
    if (missing.length === 0) return;
    if (clock.monotonic() - begin > REGISTERED_WITHIN_MS)
      throw new TidingsError(
        'DEMO_CALLBACK',
        `callback-service: expected to know of all groups within ${REGISTERED_WITHIN_MS} ms, does not know ${missing.join(', ')}`,
      );
    await clock.wait(EVERY_MS);
  }
}

/** Waits until the callback service has nothing to look after any more, or nothing moves. */
export async function callbackRound(setup: CallbackRoundSetup): Promise<CallbackFigures> {
  const { reads, pool, clock, accepted, dropped, rolledBack, dropping } = setup;
  const begin = clock.monotonic();
  let [last, movedAt] = ['', begin];
  for (;;) {
    const measures = await reads.callbackMeasures();
    const confirmations = await countConfirmations(pool);
    const { unconfirmed, rechecks, resends, falseAlarms, never, wornOut } = measures;
    const missing = GROUPS.reduce((sum, group) => sum + accepted.length - (confirmations.get(group) ?? 0), 0);
    const arrived = rechecks >= accepted.length + rolledBack.length && never >= rolledBack.length;
    const now = clock.monotonic();
    const state = JSON.stringify([unconfirmed, rechecks, resends, never, wornOut, missing]);
    if (state !== last) [last, movedAt] = [state, now];
    if ((arrived && missing === 0 && unconfirmed.messages === 0) || now - movedAt > IDLE_MS || now - begin > WITHIN_MS)
      return {
        dropped: dropped.length,
        dropping,
        resends,
        falseAlarms,
        unconfirmed: Math.max(unconfirmed.messages, missing),
        rolledBack: rolledBack.length,
        never,
        rolledBackInInbox: await countInboxEntries(pool, rolledBack),
        acceptedInInbox: await countInboxEntries(pool, accepted),
        wornOut,
      };
    await clock.wait(EVERY_MS);
  }
}

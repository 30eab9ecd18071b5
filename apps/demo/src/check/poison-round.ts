import type { Pool } from 'pg';
import { type Clock, TidingsError } from '@tidings/core';
import type { ApplicationDeadLetters } from '@tidings/messaging';
import { type Parked, measureParked } from './sql/measure-parked';

export interface PoisonFigures {
  /** Gifts that were made poison. */
  readonly poison: number;
  /** Keys that were parked behind a dead letter when nothing moved any more. */
  readonly parked: number;
  readonly redriven: number;
  /** What went wrong; empty when all is well. */
  readonly problems: readonly string[];
}

export interface PoisonRoundSetup {
  readonly poison: number;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly letters: ApplicationDeadLetters;
  /** Gifts that badges has counted. */
  readonly counted: () => Promise<number>;
  readonly accepted: number;
  /** Takes the fault out of badges. */
  readonly mend: () => Promise<void>;
}

const GROUP = 'badges';
const WITHIN_MS = 90_000;
const PAGE = 500;

/** Looks at what the poison did, mends the fault, redrives every letter, and waits until nothing is parked. */
export async function poisonRound(setup: PoisonRoundSetup): Promise<PoisonFigures> {
  const { poison, letters, counted, accepted, mend } = setup;
  const problems: string[] = [];
  const before = await waitFor(
    setup,
    'poison to be dead-lettered',
    ({ waiting, dead }) => waiting === 0 && dead >= poison,
  );
  const ids = await deadOf(letters);
  if (ids.length !== poison) problems.push(`badges: ${ids.length} dead letters of ${poison} poison gifts`);
  const done = await counted();
  if (done !== accepted - before.messages)
    problems.push(`badges: counted ${done} gifts, expected all ${accepted} but the ${before.messages} that are parked`);
  await mend();
  let redriven = 0;
  for (const id of ids) {
    const result = await letters.redrive(id);
    if (result.outcome === 'redriven') redriven += 1;
    else problems.push(`badges: letter ${id} was not redriven: ${result.outcome}`);
  }
  await waitFor(setup, 'parked keys to be free', ({ waiting, dead }) => waiting + dead === 0);
  return { poison, parked: before.dead, redriven, problems };
}

async function deadOf(letters: ApplicationDeadLetters): Promise<string[]> {
  const ids: string[] = [];
  for (let after = '0'; ;) {
    const page = await letters.list({ place: GROUP, after, limit: PAGE });
    ids.push(...page.map(({ id }) => id));
    if (page.length < PAGE) return ids;
    after = page.at(-1)!.id;
  }
}

async function waitFor(
  { pool, clock }: PoisonRoundSetup,
  what: string,
  holds: (parked: Parked) => boolean,
): Promise<Parked> {
  const begin = clock.monotonic();
  for (;;) {
    const parked = await measureParked(pool, GROUP);
    if (holds(parked)) return parked;
    if (clock.monotonic() - begin > WITHIN_MS)
      throw new TidingsError('DEMO_POISON', `expected ${what} within ${WITHIN_MS} ms, found ${JSON.stringify(parked)}`);
    await clock.wait(150);
  }
}

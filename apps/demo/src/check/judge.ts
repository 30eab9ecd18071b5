import type { GiftView } from '@tidings/gift-contracts';
import { callbackProblems } from './callback-judge';
import type { CallbackFigures } from './callback-round';
import { type Evidence, type GroupName, GROUPS, type HistoryRow } from './evidence';
import type { PoisonFigures } from './poison-round';
import { cellOf, differenceOf, type Tally, tallyOf } from './tally';

export interface GroupFigures {
  readonly group: GroupName;
  /** Deliveries, duplicates included. */
  readonly delivered: number;
  readonly duplicatesDelivered: number;
  readonly duplicateApplied: number;
  readonly lost: number;
  /** Null for a group that was promised no order. */
  readonly outOfOrder: number | null;
  readonly match: boolean;
}

export interface Verdict {
  readonly accepted: number;
  readonly delivered: number;
  readonly duplicatesDelivered: number;
  readonly duplicateApplied: number;
  readonly lost: number;
  /** Null where no order was promised: with the callback scheme. */
  readonly outOfOrder: number | null;
  readonly match: boolean;
  readonly groups: readonly GroupFigures[];
  /** Only of a check with the callback scheme. */
  readonly callback?: CallbackFigures;
  /** Only of a check with poison. */
  readonly poison?: PoisonFigures;
  /** What a person should look at first; empty when all is well. */
  readonly problems: readonly string[];
  /** Nothing lost, doubled or (where order was promised) out of order, all sums equal, all confirmed where that was asked for, and at least one duplicate arrived: without one the kill proved nothing. */
  readonly ok: boolean;
}

/** The groups that are promised the room's order. */
const ORDERED: readonly GroupName[] = ['ranking', 'badges'];

/**
 * Holds what the apps did against what was accepted. Pure: the same evidence gives the same verdict. With the callback scheme the order is not looked at:
 * what is sent again comes after what followed it.
 */
export function judge(evidence: Evidence, poison?: PoisonFigures, callback?: CallbackFigures): Verdict {
  const intake = judgeIntake(evidence);
  const ordered = callback ? [] : ORDERED;
  const groups = GROUPS.map((group) => judgeGroup(group, evidence, ordered));
  const sum = (figure: (group: GroupFigures) => number): number =>
    groups.reduce((total, group) => total + figure(group), 0);

  const figures = {
    accepted: evidence.accepted.length,
    delivered: sum((group) => group.delivered),
    duplicatesDelivered: sum((group) => group.duplicatesDelivered),
    duplicateApplied: intake.doubled + sum((group) => group.duplicateApplied),
    lost: intake.lost + sum((group) => group.lost),
    outOfOrder: ordered.length === 0 ? null : sum((group) => group.outOfOrder ?? 0),
    match: intake.problems.length === 0 && groups.every((group) => group.match),
  };
  const asked = [...poisonProblems(poison), ...callbackProblems(callback, evidence.accepted.length)];
  const problems = [...intake.problems, ...groups.flatMap(problemsOf), ...asked];
  if (figures.duplicatesDelivered === 0)
    problems.push('no duplicate was delivered: the kill hit nothing, so nothing was proved');
  const { lost, duplicateApplied, outOfOrder, match, duplicatesDelivered } = figures;
  const swapped = (outOfOrder ?? 0) > 0;
  const ok = lost === 0 && duplicateApplied === 0 && !swapped && match && duplicatesDelivered > 0 && asked.length === 0;
  return { ...figures, groups, ...(poison && { poison }), ...(callback && { callback }), problems, ok };
}

/** Each poison gift was a dead letter with its key parked behind it, and each was redriven. */
function poisonProblems(found: PoisonFigures | undefined): string[] {
  if (!found) return [];
  const { poison, parked, redriven, problems } = found;
  return [
    ...problems,
    ...(parked === poison ? [] : [`badges: ${parked} keys were parked behind ${poison} poison gifts`]),
    ...(redriven === poison ? [] : [`badges: ${redriven} of ${poison} poison gifts were redriven`]),
  ];
}

/** gift-api against its clients: one key is one gift, and what was answered is there. */
function judgeIntake({ answers, accepted, giftTotals }: Evidence): {
  lost: number;
  doubled: number;
  problems: string[];
} {
  const told = new Map(answers.map((answer) => [answer.giftId, answer.amountMinor]));
  const listed = new Map(accepted.map((gift) => [gift.giftId, gift.amountMinor]));
  const doubled = told.size - new Set(answers.map((answer) => answer.idempotencyKey)).size;
  const lost = [...told.keys()].filter((id) => !listed.has(id)).length;
  const untold = [...listed.keys()].filter((id) => !told.has(id)).length;
  const changed = [...told].filter(([id, amount]) => listed.has(id) && listed.get(id) !== amount).length;
  const totals = differenceOf(
    tallyOf(accepted, (gift) => cellOf(gift.roomId, gift.viewerId), oneGift),
    tallyOf(
      giftTotals.totals,
      (total) => cellOf(total.roomId, total.viewerId),
      (total) => ({ ...total, count: total.gifts }),
    ),
  );
  const problems = [
    doubled !== 0 && `gift-api: the clients' Idempotency-Keys and the gifts they were told of differ by ${doubled}`,
    lost > 0 && `gift-api: ${lost} gifts that clients were told of are not listed`,
    untold > 0 && `gift-api: ${untold} gifts are listed that no client was told of`,
    changed > 0 && `gift-api: ${changed} gifts have another amount than clients were told`,
    totals.cells.length > 0 && `gift-api: its totals differ from its gifts at ${sample(totals.cells)}`,
  ].filter((problem) => problem !== false);
  return { lost, doubled: Math.max(0, doubled), problems };
}

function judgeGroup(group: GroupName, evidence: Evidence, ordered: readonly GroupName[]): GroupFigures {
  const { accepted } = evidence;
  const rows = evidence.history.filter((row) => row.app === group);
  const delivered = rows.filter((row) => row.event === 'delivered');
  const handled = new Set(rows.filter((row) => row.event === 'handling').map((row) => row.giftId));
  const unhandled = accepted.filter((gift) => !handled.has(gift.giftId)).length;
  const differences = effectsOf(group, evidence).map(([expected, found]) => differenceOf(expected, found));
  return {
    group,
    delivered: delivered.length,
    duplicatesDelivered: delivered.length - new Set(delivered.map((row) => row.messageId)).size,
    duplicateApplied: Math.max(...differences.map((difference) => difference.surplus)),
    lost: Math.max(unhandled, ...differences.map((difference) => difference.missing)),
    outOfOrder: ordered.includes(group) ? swaps(accepted, rows) : null,
    match: differences.every((difference) => difference.cells.length === 0),
  };
}

const oneGift = (gift: GiftView) => ({ count: 1, amountMinor: gift.amountMinor });

/** What a group should have, and has: each pair a way to look at it. */
function effectsOf(
  group: GroupName,
  { accepted, ranking, ledger, revenue, badges }: Evidence,
): readonly (readonly [Tally, Tally])[] {
  switch (group) {
    case 'ranking': {
      const found = tallyOf(
        ranking.totals,
        (t) => cellOf(t.roomId, t.viewerId),
        (t) => ({ ...t, count: t.gifts }),
      );
      return [[tallyOf(accepted, (gift) => cellOf(gift.roomId, gift.viewerId), oneGift), found]];
    }
    case 'badges': {
      const found = tallyOf(
        badges.totals,
        (t) => cellOf(t.viewerId),
        (t) => ({ ...t, count: t.gifts }),
      );
      return [[tallyOf(accepted, (gift) => cellOf(gift.viewerId), oneGift), found]];
    }
    case 'revenue-share': {
      // Each gift has two lines, the streamer's and the platform's: the second one adds money only.
      const byGift = tallyOf(
        ledger,
        (line) => line.giftId,
        (line) => ({ ...line, count: line.account === 'streamer' ? 1 : 0 }),
      );
      const byStreamer = tallyOf(
        revenue.totals,
        (t) => t.streamerId,
        (t) => ({ ...t, count: t.account === 'streamer' ? t.entries : 0 }),
      );
      return [
        [tallyOf(accepted, (gift) => gift.giftId, oneGift), byGift],
        [tallyOf(accepted, (gift) => gift.streamerId, oneGift), byStreamer],
      ];
    }
  }
}

/**
 * Gifts that were handled for the last time after a later one of their room. The last time counts: an attempt that was rolled back has no
 * effect, so it may come early.
 */
function swaps(accepted: readonly GiftView[], rows: readonly HistoryRow[]): number {
  const gifts = new Map(accepted.map((gift) => [gift.giftId, gift]));
  const last = new Map<string, number>();
  for (const row of rows) {
    if (row.event === 'handling' && row.giftId !== null)
      last.set(row.giftId, Math.max(row.id, last.get(row.giftId) ?? 0));
  }
  const highest = new Map<string, number>();
  let swapped = 0;
  for (const [giftId] of [...last].sort(([, a], [, b]) => a - b)) {
    const gift = gifts.get(giftId);
    if (!gift) continue;
    const before = highest.get(gift.roomId) ?? 0;
    if (gift.ordinal < before) swapped += 1;
    highest.set(gift.roomId, Math.max(before, gift.ordinal));
  }
  return swapped;
}

function problemsOf({ group, lost, duplicateApplied, outOfOrder, match }: GroupFigures): string[] {
  return [
    lost > 0 && `${group}: ${lost} gifts had no effect`,
    duplicateApplied > 0 && `${group}: ${duplicateApplied} gifts took effect twice`,
    outOfOrder !== null &&
      outOfOrder > 0 &&
      `${group}: ${outOfOrder} gifts were handled after a later one of their room`,
    !match && `${group}: its sums are not those of the accepted gifts`,
  ].filter((problem) => problem !== false);
}

const sample = (cells: readonly string[]): string =>
  cells.slice(0, 3).join(', ') + (cells.length > 3 ? ` and ${cells.length - 3} more` : '');

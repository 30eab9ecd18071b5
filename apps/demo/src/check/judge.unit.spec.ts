import type { GiftView } from '@tidings/gift-contracts';
import { type Evidence, GROUPS, type HistoryEvent, type HistoryRow } from './evidence';
import { judge } from './judge';

/** Two rooms, three viewers; b1 and b2 are of the hot viewer too. */
const GIFTS = [
  ['a1', 'room-a', 'ann', 1, 100],
  ['a2', 'room-a', 'bob', 2, 250],
  ['a3', 'room-a', 'ann', 3, 100],
  ['b1', 'room-b', 'ann', 1, 900],
  ['b2', 'room-b', 'cat', 2, 50],
] as const;

const accepted: GiftView[] = GIFTS.map(([giftId, roomId, viewerId, ordinal, amountMinor], index) => ({
  giftId,
  roomId,
  streamerId: `streamer of ${roomId}`,
  viewerId,
  gift: 'rose',
  quantity: 1,
  amountMinor,
  ordinal,
  sentAt: '2026-01-01T00:00:00.000Z',
  seq: index + 1,
  idempotencyKey: `key-${giftId}`,
}));

/** A history in the order written; ids are given here. */
const historyOf = (rows: readonly (readonly [app: string, event: HistoryEvent, giftId: string])[]): HistoryRow[] =>
  rows.map(([app, event, giftId], index) => ({ id: index + 1, app, event, giftId, messageId: `message of ${giftId}` }));

const handledBy = (app: string, ids: readonly string[]) =>
  ids.flatMap((id) => [[app, 'delivered', id] as const, [app, 'handling', id] as const, [app, 'settled', id] as const]);

const everyGift = accepted.map((gift) => gift.giftId);
const clean = historyOf([...GROUPS.flatMap((group) => handledBy(group, everyGift)), ['ranking', 'delivered', 'a1']]);

/** What the apps would answer when exactly these gifts took effect, a gift as often as it is named. */
function readsOf(
  applied: Partial<Record<(typeof GROUPS)[number], readonly string[]>>,
): Omit<Evidence, 'answers' | 'accepted' | 'history'> {
  const gifts = (group: (typeof GROUPS)[number]) =>
    (applied[group] ?? everyGift).map((id) => accepted.find((gift) => gift.giftId === id)!);
  const each = (list: readonly GiftView[]) =>
    list.map(({ roomId, streamerId, viewerId, amountMinor }) => ({
      roomId,
      streamerId,
      viewerId,
      amountMinor,
      gifts: 1,
    }));
  const sums = { gifts: 0, entries: 0, amountMinor: 0 };
  const ledger = gifts('revenue-share').flatMap(({ giftId, roomId, streamerId, amountMinor }, index) => [
    { id: 2 * index, giftId, roomId, streamerId, account: 'streamer' as const, amountMinor: amountMinor * 0.7 },
    { id: 2 * index + 1, giftId, roomId, streamerId, account: 'platform' as const, amountMinor: amountMinor * 0.3 },
  ]);
  return {
    giftTotals: { ...sums, totals: each(accepted) },
    ranking: { ...sums, totals: each(gifts('ranking')) },
    badges: { ...sums, totals: each(gifts('badges')) },
    ledger,
    revenue: { ...sums, totals: ledger.map((entry) => ({ ...entry, entries: 1 })) },
  };
}

const answers = accepted.map(({ giftId, amountMinor }) => ({ giftId, amountMinor, idempotencyKey: `key-${giftId}` }));
const evidence = (changes: Partial<Evidence> = {}): Evidence => ({
  answers,
  accepted,
  history: clean,
  ...readsOf({}),
  ...changes,
});

describe('judge', () => {
  it('passes a clean run in which a duplicate was delivered and had no effect', () => {
    expect(judge(evidence())).toMatchObject({
      accepted: 5,
      delivered: 16,
      duplicatesDelivered: 1,
      duplicateApplied: 0,
      lost: 0,
      outOfOrder: 0,
      match: true,
      problems: [],
      ok: true,
    });
  });

  it('fails a run in which no duplicate arrived', () => {
    const verdict = judge(evidence({ history: clean.slice(0, -1) }));
    expect(verdict).toMatchObject({ duplicatesDelivered: 0, match: true, ok: false });
    expect(verdict.problems).toEqual([expect.stringContaining('the kill hit nothing')]);
  });

  it.each(GROUPS)('finds a gift that %s lost although it began to handle it', (group) => {
    const reads = readsOf({ [group]: everyGift.filter((id) => id !== 'a2') });
    expect(judge(evidence(reads))).toMatchObject({ lost: 1, duplicateApplied: 0, match: false, ok: false });
  });

  it.each(GROUPS)('finds a gift that never reached %s', (group) => {
    const history = clean.filter((row) => row.app !== group || row.giftId !== 'b1');
    const reads = readsOf({ [group]: everyGift.filter((id) => id !== 'b1') });
    expect(judge(evidence({ history, ...reads }))).toMatchObject({ lost: 1, ok: false });
  });

  it.each(GROUPS)('finds a gift that took effect twice in %s', (group) => {
    const reads = readsOf({ [group]: [...everyGift, 'a3'] });
    expect(judge(evidence(reads))).toMatchObject({ duplicateApplied: 1, lost: 0, match: false, ok: false });
  });

  it('finds in the ledger what sums hide: one gift lost, another of the same money doubled', () => {
    const reads = readsOf({ 'revenue-share': ['a1', 'a1', 'a2', 'b1', 'b2'] }); // a3 is worth the same, of the same streamer
    expect(judge(evidence(reads))).toMatchObject({ duplicateApplied: 1, lost: 1, match: false });
  });

  it('finds two gifts of a room handled in the wrong order', () => {
    const order = ['a1', 'a3', 'b1', 'a2', 'b2'];
    const history = historyOf([...GROUPS.flatMap((group) => handledBy(group, order)), ['ranking', 'delivered', 'a1']]);
    expect(judge(evidence({ history }))).toMatchObject({ outOfOrder: 2, match: true, ok: false }); // at ranking and at badges
  });

  it('asks no order between rooms, nor of the groups that were promised none', () => {
    const history = historyOf([
      ...handledBy('ranking', ['b1', 'a1', 'b2', 'a2', 'a3']),
      ...handledBy('revenue-share', ['a3', 'a2', 'a1', 'b2', 'b1']),
      ...handledBy('badges', ['b1', 'b2', 'a1', 'a2', 'a3']),
      ['ranking', 'delivered', 'a1'],
    ]);
    expect(judge(evidence({ history }))).toMatchObject({ outOfOrder: 0, ok: true });
  });

  it('looks at the last attempt: one that was rolled back may come early', () => {
    const early = historyOf([
      ['ranking', 'delivered', 'a2'],
      ['ranking', 'handling', 'a2'],
    ]);
    const later = clean.map((row) => ({ ...row, id: row.id + early.length }));
    expect(judge(evidence({ history: [...early, ...later] }))).toMatchObject({ outOfOrder: 0, ok: true });
  });

  it('finds sums that differ although the counts agree', () => {
    const reads = readsOf({});
    const [first, ...rest] = reads.badges.totals;
    const badges = { ...reads.badges, totals: [{ ...first!, amountMinor: first!.amountMinor + 1 }, ...rest] };
    expect(judge(evidence({ badges }))).toMatchObject({ lost: 0, duplicateApplied: 0, match: false, ok: false });
  });

  it('finds a gift that a client was told of and that is not there', () => {
    const told = [...answers, { idempotencyKey: 'key-x', giftId: 'x', amountMinor: 1 }];
    expect(judge(evidence({ answers: told }))).toMatchObject({ lost: 1, match: false, ok: false });
  });

  it('finds one Idempotency-Key that became two gifts', () => {
    const told = answers.map((answer) => (answer.giftId === 'a2' ? { ...answer, idempotencyKey: 'key-a1' } : answer));
    expect(judge(evidence({ answers: told }))).toMatchObject({ duplicateApplied: 1, match: false, ok: false });
  });

  it('finds a gift that no client was told of', () => {
    expect(judge(evidence({ answers: answers.slice(1) }))).toMatchObject({ match: false, ok: false });
  });
});

import { type Effect, type Evidence, sendsOf } from './evidence';
import type { HistoryEvent } from './history';
import { judge } from './judge';

const groups = [
  { name: 'ledger', ordered: true },
  { name: 'audit', ordered: false },
];

const publish = (message: string, key: string, counter: number, tx = message): HistoryEvent => ({
  event: 'publish',
  tx,
  message,
  key,
  counter,
});
const end = (tx: string, outcome: 'committed' | 'rolledBack' | 'unknown'): HistoryEvent => ({
  event: 'end',
  tx,
  outcome,
});

/** Two keys; a3 was rolled back and gave its counter to a4; a6 lay behind a savepoint; of a7 and b2 the senders never heard. */
const history: HistoryEvent[] = [
  publish('a1', 'a', 1),
  end('a1', 'committed'),
  publish('a2', 'a', 2),
  publish('b1', 'b', 1, 'a2'),
  end('a2', 'committed'),
  publish('a3', 'a', 3),
  end('a3', 'rolledBack'),
  publish('a4', 'a', 3),
  end('a4', 'committed'),
  publish('a6', 'a', 4, 'a5'),
  { event: 'undone', tx: 'a5', message: 'a6' },
  publish('a5', 'a', 4),
  end('a5', 'committed'),
  publish('a7', 'a', 5),
  end('a7', 'unknown'),
  publish('b2', 'b', 2), // killed before it could write the end
];

const counters: Record<string, [string, number]> = Object.fromEntries(
  history.flatMap((event) => (event.event === 'publish' ? [[event.message, [event.key, event.counter]]] : [])),
);
const effectsOf = (group: string, messages: readonly string[]): Effect[] =>
  messages.map((message, id) => {
    const [key, counter] = counters[message] ?? ['a', 9];
    return { id, group, message, key, counter };
  });

const COMMITTED = ['a1', 'b1', 'a2', 'a4', 'a5'];

const evidence = (ledger: readonly string[], more: Partial<Evidence> = {}): Evidence => {
  const effects = [...effectsOf('ledger', ledger), ...effectsOf('audit', COMMITTED)];
  return { groups, sends: sendsOf(history), deliveries: effects, effects, ...more };
};
const ledgerOf = (found: Evidence) => judge(found).groups[0];

describe('judge', () => {
  it('finds nothing in a clean history', () => {
    const clean = { lost: 0, appliedTwice: 0, appliedThoughRolledBack: 0, invented: 0, problems: [] };
    expect(judge(evidence(COMMITTED))).toEqual({
      sent: 9,
      committed: 5,
      rolledBack: 2,
      unknown: 2,
      ok: true,
      groups: [
        { group: 'ledger', delivered: 5, duplicatesDelivered: 0, outOfOrder: 0, ...clean },
        { group: 'audit', delivered: 5, duplicatesDelivered: 0, outOfOrder: null, ...clean },
      ],
    });
  });

  it('finds a lost message', () => {
    const found = evidence(['a1', 'a2', 'a4', 'a5']);
    expect(ledgerOf(found)).toMatchObject({ lost: 1, problems: ['ledger: lost: b1 (b 1)'] });
    expect(judge(found).ok).toBe(false);
  });

  it('finds a doubled message, and does not take it for a swapped one', () => {
    const found = evidence(['a1', 'b1', 'a2', 'a4', 'a1', 'a5']);
    expect(ledgerOf(found)).toMatchObject({ appliedTwice: 1, outOfOrder: 0, lost: 0 });
    expect(judge(found).ok).toBe(false);
  });

  it('finds swapped messages of one key', () => {
    const found = evidence(['a2', 'b1', 'a1', 'a4', 'a5']);
    expect(ledgerOf(found)).toMatchObject({ outOfOrder: 1, lost: 0, appliedTwice: 0 });
    expect(judge(found).ok).toBe(false);
  });

  it('goes by the rows, in whatever sequence they are read', () => {
    const found = evidence(COMMITTED);
    expect(ledgerOf({ ...found, effects: [...found.effects].reverse() })?.outOfOrder).toBe(0);
  });

  it('asks no order between keys, nor of a group that was promised none', () => {
    const effects = [...effectsOf('ledger', ['b1', ...COMMITTED.filter((m) => m !== 'b1')])];
    const audit = effectsOf('audit', [...COMMITTED].reverse());
    expect(judge(evidence([], { effects: [...effects, ...audit] })).ok).toBe(true);
  });

  it.each([
    ['in its transaction', 'a3'],
    ['to a savepoint', 'a6'],
  ])('finds a message that was applied though rolled back %s', (_, message) => {
    const found = evidence([...COMMITTED, message]);
    expect(ledgerOf(found)).toMatchObject({ appliedThoughRolledBack: 1, outOfOrder: 0 });
    expect(judge(found).ok).toBe(false);
  });

  it('finds an invented message, and one whose content changed', () => {
    const found = evidence([...COMMITTED, 'x1']);
    expect(ledgerOf(found)).toMatchObject({ invented: 1 });
    const changed = found.effects.map((effect) => (effect.message === 'a5' ? { ...effect, counter: 7 } : effect));
    expect(ledgerOf({ ...found, effects: changed })).toMatchObject({ invented: 2, lost: 1 });
    expect(judge(found).ok).toBe(false);
  });

  it('lets a message of unknown outcome be applied once or not at all, in its place', () => {
    expect(judge(evidence([...COMMITTED, 'a7', 'b2'])).ok).toBe(true);
    expect(ledgerOf(evidence([...COMMITTED, 'a7', 'a7']))).toMatchObject({ appliedTwice: 1 });
    expect(ledgerOf(evidence(['a1', 'b1', 'a2', 'a4', 'a7', 'a5']))).toMatchObject({ outOfOrder: 1 });
  });

  it('asks the database where the sender never learned the outcome', () => {
    const stored = new Set([...COMMITTED, 'a7']);
    expect(ledgerOf(evidence(COMMITTED, { stored }))).toMatchObject({ lost: 1, appliedThoughRolledBack: 0 });
    expect(ledgerOf(evidence([...COMMITTED, 'a7', 'b2'], { stored }))).toMatchObject({
      lost: 0,
      appliedThoughRolledBack: 1,
    });
  });

  it('counts what was delivered again', () => {
    const deliveries = [...COMMITTED, 'a1', 'a1'].map((message) => ({ group: 'ledger', message }));
    expect(ledgerOf(evidence(COMMITTED, { deliveries }))).toMatchObject({ delivered: 7, duplicatesDelivered: 2 });
  });

  it('is not satisfied by a run in which nothing was sent', () => {
    expect(judge({ groups, sends: [], deliveries: [], effects: [] }).ok).toBe(false);
  });
});

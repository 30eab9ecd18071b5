import type { Effect, Evidence, GroupUnderTest, Send } from './evidence';

export interface GroupVerdict {
  readonly group: string;
  readonly delivered: number;
  readonly duplicatesDelivered: number;
  /** Committed, never applied. */
  readonly lost: number;
  readonly appliedTwice: number;
  /** Applied although its transaction was rolled back. */
  readonly appliedThoughRolledBack: number;
  /** Applied and never published, or with another key or counter than published. */
  readonly invented: number;
  /** Applied after a later one of its key; null for a group that was promised no order. */
  readonly outOfOrder: number | null;
  /** The first few of each kind, for a person. */
  readonly problems: readonly string[];
}

export interface Verdict {
  readonly sent: number;
  readonly committed: number;
  readonly rolledBack: number;
  /** Senders that never learned the outcome. */
  readonly unknown: number;
  readonly groups: readonly GroupVerdict[];
  readonly ok: boolean;
}

const SHOWN = 3;

/**
 * Holds what was applied against what was published. Pure.
 *
 * Order is that of ARCHITECTURE.md, the part that a row lock gives: both published while holding the key's lock. The counter was taken under it, so
 * the effects of one key must follow the counters of what committed; of a message applied twice the first counts. Nothing is asked between keys.
 */
export function judge(evidence: Evidence): Verdict {
  const sends = evidence.sends.map((send) => known(send, evidence.stored));
  const groups = evidence.groups.map((group) => judgeGroup(group, sends, evidence));
  const having = (outcome: Send['outcome']): number => evidence.sends.filter((send) => send.outcome === outcome).length;
  return {
    sent: sends.length,
    committed: having('committed'),
    rolledBack: having('rolledBack'),
    unknown: having('unknown'),
    groups,
    ok: sends.length > 0 && groups.every(isClean),
  };
}

/** What the sender did not learn, the database knows. */
const known = (send: Send, stored: Evidence['stored']): Send =>
  send.outcome === 'unknown' && stored
    ? { ...send, outcome: stored.has(send.message) ? 'committed' : 'rolledBack' }
    : send;

const isClean = (verdict: GroupVerdict): boolean =>
  verdict.lost === 0 &&
  verdict.appliedTwice === 0 &&
  verdict.appliedThoughRolledBack === 0 &&
  verdict.invented === 0 &&
  (verdict.outOfOrder ?? 0) === 0;

function judgeGroup({ name, ordered }: GroupUnderTest, sends: readonly Send[], evidence: Evidence): GroupVerdict {
  const sendOf = new Map(sends.map((send) => [send.message, send]));
  const deliveries = evidence.deliveries.filter(({ group }) => group === name);
  const effects = evidence.effects.filter(({ group }) => group === name).sort((a, b) => a.id - b.id);
  const first = new Map<string, Effect>();
  const twice: string[] = [];
  const invented: string[] = [];
  for (const effect of effects) {
    const send = sendOf.get(effect.message);
    if (!send || send.key !== effect.key || send.counter !== effect.counter) invented.push(told(effect));
    else if (first.has(effect.message)) twice.push(told(effect));
    else first.set(effect.message, effect);
  }
  const lost = sends.filter((send) => send.outcome === 'committed' && !first.has(send.message)).map(told);
  const applied = [...first.values()];
  const wasRolledBack = (effect: Effect): boolean => sendOf.get(effect.message)?.outcome === 'rolledBack';
  const rolledBack = applied.filter(wasRolledBack).map(told);
  // What was rolled back gave its counter to another: it has no place in the order.
  const swapped = ordered ? swaps(applied.filter((effect) => !wasRolledBack(effect))).map(told) : [];
  return {
    group: name,
    delivered: deliveries.length,
    duplicatesDelivered: deliveries.length - new Set(deliveries.map(({ message }) => message)).size,
    lost: lost.length,
    appliedTwice: twice.length,
    appliedThoughRolledBack: rolledBack.length,
    invented: invented.length,
    outOfOrder: ordered ? swapped.length : null,
    problems: [
      ...some(name, 'lost', lost),
      ...some(name, 'applied twice', twice),
      ...some(name, 'applied though rolled back', rolledBack),
      ...some(name, 'invented', invented),
      ...some(name, 'out of order', swapped),
    ],
  };
}

/** The effects that came after one of the same key with a counter as high or higher. */
function swaps(effects: readonly Effect[]): Effect[] {
  const highest = new Map<string, number>();
  return effects.filter(({ key, counter }) => {
    const before = highest.get(key) ?? -Infinity;
    highest.set(key, Math.max(before, counter));
    return counter <= before;
  });
}

const told = ({ message, key, counter }: Effect | Send): string => `${message} (${key} ${counter})`;

const some = (group: string, kind: string, found: readonly string[]): string[] => {
  if (found.length === 0) return [];
  const more = found.length > SHOWN ? ` and ${found.length - SHOWN} more` : '';
  return [`${group}: ${kind}: ${found.slice(0, SHOWN).join(', ')}${more}`];
};

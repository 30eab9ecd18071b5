import type { HistoryEvent } from './history';

/** One message that a sender published, and what became of its transaction as far as the sender knew. */
export interface Send {
  readonly message: string;
  readonly key: string;
  /** Ascends with the order of a key: taken under the key's row lock. A rollback gives it to the next. */
  readonly counter: number;
  readonly outcome: 'committed' | 'rolledBack' | 'unknown';
}

/** One row that a handler wrote in its transaction. Nothing in the table keeps a message from having two. */
export interface Effect {
  /** Ascends as rows are written. */
  readonly id: number;
  readonly group: string;
  readonly message: string;
  readonly key: string;
  readonly counter: number;
}

export interface GroupUnderTest {
  readonly name: string;
  readonly ordered: boolean;
}

/** All that a verdict rests on: files and rows, no counter of anybody's memory. */
export interface Evidence {
  readonly groups: readonly GroupUnderTest[];
  readonly sends: readonly Send[];
  readonly deliveries: readonly { readonly group: string; readonly message: string }[];
  readonly effects: readonly Effect[];
  /**
   * Messages whose business row is in the database: they say how a transaction ended whose sender never learned it. Without them an unknown one may
   * be applied once or not at all.
   */
  readonly stored?: ReadonlySet<string> | undefined;
}

/** What the senders' histories say. A transaction without an end (its process was killed) is unknown. */
export function sendsOf(events: readonly HistoryEvent[]): Send[] {
  const outcomes = new Map<string, Send['outcome']>();
  const undone = new Set<string>();
  for (const event of events) {
    if (event.event === 'end') outcomes.set(event.tx, event.outcome);
    if (event.event === 'undone') undone.add(event.message);
  }
  return events.flatMap((event) => {
    if (event.event !== 'publish') return [];
    const { message, key, counter, tx } = event;
    const outcome = undone.has(message) ? 'rolledBack' : (outcomes.get(tx) ?? 'unknown');
    return [{ message, key, counter, outcome }];
  });
}

export const deliveriesOf = (events: readonly HistoryEvent[]): Evidence['deliveries'] =>
  events.filter((event) => event.event === 'delivered');

import { type Clock, type MemoryStore, type MemoryTransaction, type Message, timestampOf, type Transaction } from '@tidings/core'; // prettier-ignore
import type { PreparedStatus, UndecidedMessage } from './prepared-row';
import type { PreparedTable, TellsWhenToAsk } from './prepared-table';
import type { CheckBackPace } from './sql/claim-undecided';
import type { PreparedDestination } from './sql/insert-prepared';
import type { Overdue } from './sql/measure-overdue';

interface Prepared extends PreparedDestination {
  readonly message: Message;
  readonly preparedAt: number;
  checkAt: number;
  checks: number;
  status: PreparedStatus;
  decidedAt: number;
  /** The transaction that decides it, or asks for it, and what it has decided so far. */
  held: { readonly by: MemoryTransaction; status: PreparedStatus } | undefined;
}

/**
 * Prepared messages in the memory of this process, for tests. A decision locks its message until its transaction ends, as the row in a database would
 * be: whoever decides meanwhile waits, and a question is left out.
 */
export class MemoryPrepared implements PreparedTable, TellsWhenToAsk {
  readonly #prepared = new Map<string, Prepared>();
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly store: MemoryStore,
    private readonly clock: Clock,
  ) {}

  async insert(
    transaction: Transaction | undefined,
    message: Message,
    { transports, optional }: PreparedDestination,
    checkAfterMs: number,
  ): Promise<boolean> {
    const name = nameOf(message.source, message.id);
    if (this.#prepared.has(name)) return false;
    const now = this.clock.now();
    const undecided = { message: { ...message, bucket: null, time: timestampOf(now) }, transports, optional };
    const times = { preparedAt: now, checkAt: now + checkAfterMs, checks: 0, decidedAt: 0 };
    const keep = (): void => {
      this.#prepared.set(name, { ...undecided, ...times, status: 'undecided', held: undefined });
      for (const listener of this.#listeners) listener();
    };
    if (transaction) transaction.afterCommit(keep);
    else keep();
    return true;
  }

  async decide(
    transaction: Transaction,
    source: string,
    id: string,
    status: Exclude<PreparedStatus, 'undecided'>,
  ): Promise<UndecidedMessage | undefined> {
    const by = this.store.join(transaction);
    const one = this.#prepared.get(nameOf(source, id));
    if (!one) return undefined;
    while (isHeld(one) && one.held.by !== by) await one.held.by.ended;
    if (statusOf(one, by) !== 'undecided') return undefined;
    one.held = { by, status };
    by.afterCommit(() => Object.assign(one, { status, decidedAt: this.clock.now() }));
    return undecidedOf(one);
  }

  async status(transaction: Transaction, source: string, id: string): Promise<PreparedStatus | undefined> {
    const one = this.#prepared.get(nameOf(source, id));
    return one && statusOf(one, this.store.join(transaction));
  }

  async undecided(limit: number): Promise<readonly UndecidedMessage[]> {
    return this.#waiting().slice(0, limit).map(undecidedOf);
  }

  async claim(
    types: readonly string[],
    { firstMs, maxMs }: CheckBackPace,
    limit: number,
  ): Promise<readonly UndecidedMessage[]> {
    const now = this.clock.now();
    const due = this.#waiting(types).filter((one) => one.checkAt <= now && !isHeld(one)).slice(0, limit); // prettier-ignore
    for (const one of due) one.checkAt = now + Math.min(maxMs, firstMs * 2 ** Math.min(one.checks++, 30));
    return due.map(undecidedOf);
  }

  async lock(transaction: Transaction, source: string, id: string): Promise<boolean> {
    const by = this.store.join(transaction);
    const one = this.#prepared.get(nameOf(source, id));
    if (!one || one.status !== 'undecided' || (isHeld(one) && one.held.by !== by)) return false;
    one.held ??= { by, status: 'undecided' };
    if (one.held.by !== by) one.held = { by, status: 'undecided' };
    return true;
  }

  async deleteDecided(retentionMs: number, limit: number): Promise<number> {
    const before = this.clock.now() - retentionMs;
    const gone = [...this.#prepared].filter(
      ([, { status, decidedAt }]) => status !== 'undecided' && decidedAt < before,
    );
    for (const [name] of gone.slice(0, limit)) this.#prepared.delete(name);
    return Math.min(gone.length, limit);
  }

  async overdue(sinceMs: number, limit: number): Promise<Overdue> {
    const before = this.clock.now() - sinceMs;
    const overdue = this.#waiting().filter(({ checkAt }) => checkAt < before).slice(0, limit); // prettier-ignore
    return { count: overdue.length, types: [...new Set(overdue.map(({ message }) => message.type))] };
  }

  nextMs(types: readonly string[]): number | undefined {
    const [next] = this.#waiting(types);
    return next && Math.max(0, next.checkAt - this.clock.now());
  }

  onPrepared(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** The one that is asked for next first. */
  #waiting(types?: readonly string[]): Prepared[] {
    return [...this.#prepared.values()]
      .filter(({ status, message }) => status === 'undecided' && (types?.includes(message.type) ?? true))
      .sort((a, b) => a.checkAt - b.checkAt);
  }
}

const nameOf = (source: string, id: string): string => JSON.stringify([source, id]);

const isHeld = (one: Prepared): one is Prepared & { held: NonNullable<Prepared['held']> } =>
  one.held?.by.state === 'open';

/** As the transaction sees it, its own decision included. */
const statusOf = (one: Prepared, by: MemoryTransaction): PreparedStatus =>
  one.held?.by === by && one.held.by.state === 'open' && one.held.status !== 'undecided' ? one.held.status : one.status;

const undecidedOf = ({ message, preparedAt, checks, checkAt, transports, optional }: Prepared): UndecidedMessage => ({
  message,
  preparedAt: timestampOf(preparedAt),
  checks,
  checkAt: timestampOf(checkAt),
  transports,
  optional,
});

import {
  asError,
  type Clock,
  dateOf,
  type Settlement,
  type Store,
  systemClock,
  TidingsError,
  type Transaction,
} from '@tidings/core';
import { z } from 'zod';
import { isDay } from './bucket';
import { commitOnAccept } from './commit-on-accept';
import type { InboxEntry } from './inbox-entry';
import { type CheckedInboxOptions, checkInboxOptions, type InboxOptions } from './inbox.options';
import type { BatchInboxStore, BatchOutcome, BatchWork } from './inbox-batch';
import { InboxUnavailableError, type InboxOutcome, type InboxRefusal, type InboxStore } from './inbox-store';

interface Kept {
  readonly bucket: string;
  readonly fingerprint: Buffer;
  readonly sealed: boolean;
}

const DAY_MS = 86_400_000;
/** As PostgreSQL's int, which holds it there. */
const HIGHEST_GENERATION = 2 ** 31 - 1;
const calendarDay = z.iso.date();

/** An inbox in the memory of this process, for tests: it forgets with the process, and knows of no other. Its entries commit with the store's transactions. */
export class MemoryInbox implements InboxStore, BatchInboxStore {
  readonly #options: CheckedInboxOptions;
  readonly #entries = new Map<string, Kept>();
  /** Entries in hand, until when: whoever comes next waits. */
  readonly #inHand = new Map<string, Promise<void>>();
  #horizon = '';

  constructor(
    private readonly store: Pick<Store, 'run'>,
    options: InboxOptions = {},
    private readonly clock: Clock = systemClock,
  ) {
    this.#options = checkInboxOptions(options);
  }

  once(entry: InboxEntry, work: (transaction: Transaction) => Promise<Settlement>): Promise<InboxOutcome> {
    return this.#alone(entry, async (): Promise<InboxOutcome> => {
      const known = this.#known(entry);
      if (known) return known;
      let reached = false;
      try {
        const begin = (run: (transaction: Transaction) => Promise<Settlement>) => this.store.run(run);
        const settlement = await commitOnAccept(begin, (transaction) => {
          transaction.afterCommit(() => this.#keep(entry, false));
          reached = true;
          return work(transaction);
        });
        return { kind: 'handled', settlement };
      } catch (thrown) {
        if (reached) throw thrown;
        throw new InboxUnavailableError(entry.subscription, { cause: asError(thrown) });
      }
    });
  }

  async onceEach(entries: readonly InboxEntry[], work: BatchWork): Promise<readonly BatchOutcome[]> {
    const seen = new Map<string, number>();
    const judged = entries.map((entry, at): BatchOutcome => {
      const first = seen.get(keyOf(entry)) ?? at;
      seen.set(keyOf(entry), first);
      if (first === at) return this.#refusal(entry) ?? { kind: 'fresh' };
      return entries[first]!.fingerprint.equals(entry.fingerprint) ? { kind: 'copy', of: first } : { kind: 'conflict' };
    });
    const free = await this.#take([...seen.keys()]);
    if (!free) return judged.map((outcome) => (outcome.kind === 'fresh' ? { kind: 'busy' } : outcome));
    try {
      const outcomes = judged.map((outcome, at) => (outcome.kind === 'fresh' ? (this.#known(entries[at]!) ?? outcome) : outcome)); // prettier-ignore
      const fresh = [...outcomes.keys()].filter((at) => outcomes[at]!.kind === 'fresh');
      if (fresh.length === 0) return outcomes;
      await this.store.run(async (transaction) => {
        const undone = new Set(await work(transaction, outcomes));
        for (const at of fresh) if (!undone.has(at)) transaction.afterCommit(() => this.#keep(entries[at]!, false));
      });
      return outcomes;
    } finally {
      free();
    }
  }

  async seal(entry: InboxEntry): Promise<'sealed' | 'handled'> {
    const answer = await this.#alone(entry, async () => {
      if (await this.handled(entry)) return 'handled';
      if (!this.#entries.has(keyOf(entry))) this.#keep(entry, true);
      return 'sealed';
    });
    if (answer === 'handled' || answer === 'sealed') return answer;
    if (answer.kind !== 'busy') return 'sealed';
    throw new InboxUnavailableError(entry.subscription, {
      cause: new TidingsError('TIDINGS_INBOX_BUSY', 'a copy that is being handled just now'),
    });
  }

  /** Has this very message taken effect? */
  async handled(entry: InboxEntry): Promise<boolean> {
    const known = this.#entries.get(keyOf(entry));
    return known !== undefined && !known.sealed && known.fingerprint.equals(entry.fingerprint);
  }

  /** Gives up what is older than the retention, for good. */
  dropExpired(): void {
    this.#horizon = this.#oldest();
    for (const [key, { bucket }] of this.#entries) if (bucket < this.#horizon) this.#entries.delete(key);
  }

  #known(entry: InboxEntry): InboxRefusal | undefined {
    const known = this.#entries.get(keyOf(entry));
    return known && { kind: known.fingerprint.equals(entry.fingerprint) ? 'duplicate' : 'conflict' };
  }

  /** A foreign message has no bucket: it is kept by the day on which it was handled. */
  #keep(entry: InboxEntry, sealed: boolean): void {
    const bucket = entry.bucket ?? dateOf(this.clock.now());
    this.#entries.set(keyOf(entry), { bucket, fingerprint: entry.fingerprint, sealed });
  }

  async #alone<T>(entry: InboxEntry, work: () => Promise<T>): Promise<T | InboxRefusal> {
    const refusal = this.#refusal(entry);
    if (refusal) return refusal;
    const free = await this.#take([keyOf(entry)]);
    return free ? work().finally(free) : { kind: 'busy' };
  }

  /** Takes all entries in hand at once, so that none waits for another's; undefined when one is not free in time. */
  async #take(keys: readonly string[]): Promise<(() => void) | undefined> {
    const given = new AbortController();
    let waitedEnough = false;
    const deadline = this.clock.wait(this.#options.lockTimeoutMs, given.signal).then(() => void (waitedEnough = true));
    for (let busy; (busy = keys.map((key) => this.#inHand.get(key)).find((one) => one !== undefined));) {
      if (waitedEnough) return undefined;
      await Promise.race([busy, deadline]);
    }
    given.abort();
    let ended = (): void => undefined;
    const end = new Promise<void>((resolve) => (ended = resolve));
    for (const key of keys) this.#inHand.set(key, end);
    return () => {
      for (const key of keys) this.#inHand.delete(key);
      ended();
    };
  }

  #refusal({ bucket, generation }: InboxEntry): InboxRefusal | undefined {
    if (generation > HIGHEST_GENERATION)
      return { kind: 'unfit', problem: `generation: expected ${HIGHEST_GENERATION} at most, found ${generation}` };
    if (bucket === null) return undefined;
    if (!isDay(bucket) || !calendarDay.safeParse(bucket).success)
      return { kind: 'unfit', problem: `bucket: expected a date YYYY-MM-DD, found ${JSON.stringify(bucket)}` };
    const horizon = this.#oldest();
    if (bucket < horizon) return { kind: 'outside', horizon };
    const newest = dateOf(this.clock.now() + this.#options.aheadDays * DAY_MS);
    if (bucket <= newest) return undefined;
    return { kind: 'unfit', problem: `bucket: expected ${newest} at the latest (aheadDays), found ${bucket}` };
  }

  #oldest(): string {
    const oldest = dateOf(this.clock.now() - this.#options.retentionDays * DAY_MS);
    return oldest > this.#horizon ? oldest : this.#horizon;
  }
}

const keyOf = ({ subscription, digest, generation, bucket }: InboxEntry): string =>
  JSON.stringify([subscription, digest.toString('hex'), generation, bucket]);

import { asError, type Store, TidingsError, type Transaction } from '@tidings/core';
import { isDay } from './bucket';
import type { BatchInboxStore, BatchOutcome, BatchWork } from './inbox-batch';
import type { InboxBuckets } from './inbox-buckets';
import type { InboxEntry } from './inbox-entry';
import { type CheckedInboxOptions, checkInboxOptions, type InboxOptions } from './inbox.options';
import { InboxUnavailableError } from './inbox-store';
import { deleteEntries } from './sql/delete-entries';
import { findEntries } from './sql/find-entries';
import { registerEntries } from './sql/register-entries';
import { isDataException, SQL_STATE, sqlStateOf } from './sql-state';

const fresh: BatchOutcome = Object.freeze({ kind: 'fresh' });

/** Never leaves this file. */
class MissingBucket extends TidingsError {
  constructor(cause: Error) {
    super('TIDINGS_INBOX_BUCKET', `a bucket's table is missing: ${cause.message}`, { cause });
  }
}

/** Many messages for the price of one: begin, one insert, what the handler does, commit. */
export class PostgresInboxBatch implements BatchInboxStore {
  readonly #options: CheckedInboxOptions;

  constructor(
    private readonly store: Store,
    private readonly buckets: InboxBuckets,
    options: InboxOptions = {},
  ) {
    this.#options = checkInboxOptions(options);
  }

  async onceEach(entries: readonly InboxEntry[], work: BatchWork): Promise<readonly BatchOutcome[]> {
    const outcomes = collapsed(entries);
    try {
      return await this.#attempt(entries, outcomes, work);
    } catch (thrown) {
      if (!(thrown instanceof MissingBucket)) throw thrown;
    }
    await this.#makeBuckets(entries, outcomes);
    return this.#attempt(entries, outcomes, work).catch((thrown: unknown) => {
      throw thrown instanceof MissingBucket ? unavailable(entries, thrown) : thrown;
    });
  }

  async #attempt(
    entries: readonly InboxEntry[],
    known: readonly BatchOutcome[],
    work: BatchWork,
  ): Promise<readonly BatchOutcome[]> {
    let reached = false;
    try {
      return await this.store.run(async (transaction) => {
        const outcomes = await this.#file(transaction, entries, known);
        if (!outcomes.includes(fresh)) return outcomes;
        reached = true;
        const undone = await work(transaction, outcomes);
        if (undone.length > 0) await deleteEntries(this.store, transaction, pick(entries, undone));
        return outcomes;
      });
    } catch (thrown) {
      if (reached) throw thrown;
      return this.#refusal(entries, known, asError(thrown));
    }
  }

  async #file(
    transaction: Transaction,
    entries: readonly InboxEntry[],
    known: readonly BatchOutcome[],
  ): Promise<readonly BatchOutcome[]> {
    const outcomes = [...known];
    const going = [...outcomes.keys()].filter((at) => outcomes[at] === fresh);
    if (going.length === 0) return outcomes;
    const filed = await registerEntries(this.store, transaction, pick(entries, going), this.#options);
    const refused = going.filter((_, place) => !filed.has(place));
    if (refused.length === 0) return outcomes;
    const { retentionDays } = this.#options;
    const found = await findEntries(this.store, transaction, pick(entries, refused), retentionDays);
    for (const [place, { inside, horizon, fingerprint }] of found.entries()) {
      const at = refused[place] as number;
      if (!inside) outcomes[at] = { kind: 'outside', horizon };
      else if (!fingerprint) outcomes[at] = { kind: 'busy' };
      else
        outcomes[at] = { kind: fingerprint.equals((entries[at] as InboxEntry).fingerprint) ? 'duplicate' : 'conflict' };
    }
    return outcomes;
  }

  /** What a failure before the handler means. */
  #refusal(entries: readonly InboxEntry[], known: readonly BatchOutcome[], error: Error): readonly BatchOutcome[] {
    const state = sqlStateOf(error);
    const all = (outcome: BatchOutcome) => known.map((one) => (one === fresh ? outcome : one));
    if (state === SQL_STATE.lockTimeout) return all({ kind: 'busy' });
    if (state === SQL_STATE.undefinedTable && entries.some(({ bucket }) => bucket !== null)) {
      throw new MissingBucket(error);
    }
    if (!isDataException(state)) throw unavailable(entries, error);
    if (known.filter((one) => one === fresh).length > 1) throw error; // whose value it is, nobody says
    return all({ kind: 'unfit', problem: error.message });
  }

  /** On Tidings' own connections and with no transaction open. */
  async #makeBuckets(entries: readonly InboxEntry[], outcomes: BatchOutcome[]): Promise<void> {
    const wanted = [...outcomes.keys()].filter((at) => outcomes[at] === fresh);
    const days = new Set(pick(entries, wanted).flatMap(({ bucket }) => bucket ?? []));
    for (const day of days) {
      try {
        const answer = await this.buckets.demand(day);
        if (answer.kind === 'ready') continue;
        for (const at of wanted) if (entries[at]?.bucket === day) outcomes[at] = answer;
      } catch (thrown) {
        if (!isDataException(sqlStateOf(thrown))) throw unavailable(entries, asError(thrown));
        for (const at of wanted)
          if (entries[at]?.bucket === day) outcomes[at] = { kind: 'unfit', problem: asError(thrown).message };
      }
    }
  }
}

const pick = (entries: readonly InboxEntry[], places: readonly number[]): InboxEntry[] =>
  places.flatMap((at) => entries[at] ?? []);

const unavailable = (entries: readonly InboxEntry[], cause: Error): InboxUnavailableError =>
  new InboxUnavailableError(entries[0]?.subscription ?? 'a batch', { cause });

/** What can be told before the database is asked. One id with two contents in one batch: the second comes again when the first is settled. */
function collapsed(entries: readonly InboxEntry[]): BatchOutcome[] {
  const first = new Map<string, number>();
  return entries.map((entry, at) => {
    const { digest, generation, bucket, fingerprint } = entry;
    if (bucket !== null && !isDay(bucket)) {
      return { kind: 'unfit', problem: `bucket: expected a date YYYY-MM-DD, found ${JSON.stringify(bucket)}` };
    }
    const key = `${digest.toString('hex')} ${generation} ${bucket ?? ''}`;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, at);
      return fresh;
    }
    return (entries[earlier] as InboxEntry).fingerprint.equals(fingerprint)
      ? { kind: 'copy', of: earlier }
      : { kind: 'busy' };
  });
}

import { accept, asError, type QueryResult, runFrom, type Settlement, type Statement, type Store, TidingsError, type Transaction } from '@tidings/core'; // prettier-ignore
import { isDay } from './bucket';
import { commitOnAccept } from './commit-on-accept';
import { InboxBuckets } from './inbox-buckets';
import type { InboxEntry } from './inbox-entry';
import { type CheckedInboxOptions, checkInboxOptions, type InboxOptions } from './inbox.options';
import { InboxUnavailableError, type InboxOutcome, type InboxRefusal, type InboxStore } from './inbox-store';
import { findEntry } from './sql/find-entry';
import { registeringEntries } from './sql/register-entry';
import { isDataException, SQL_STATE, sqlStateOf } from './sql-state';

type Run = (transaction: Transaction, answer: QueryResult<object>) => Promise<Settlement>;
type Sealed = { readonly kind: 'sealed' | 'handled' };

/** The bucket has no table (yet). Never leaves this file. */
class MissingBucket extends TidingsError {
  constructor(cause: Error) {
    super('TIDINGS_INBOX_BUCKET', `the bucket's table is missing: ${cause.message}`, { cause });
  }
}

/**
 * The inbox beside the user's data. A message costs begin and insert (one round trip, where the store can), what the handler does, commit: the
 * insert alone says whether it is a copy.
 * Only a refusal asks a second question, and only the first message of a bucket that nobody prepared has to make its table.
 */
export class PostgresInbox implements InboxStore {
  readonly buckets: InboxBuckets;
  readonly #options: CheckedInboxOptions;
  readonly #register: (entry: InboxEntry, sealed?: boolean) => Statement;

  constructor(
    private readonly store: Store,
    options: InboxOptions = {},
  ) {
    this.#options = checkInboxOptions(options);
    this.#register = registeringEntries(store, this.#options);
    this.buckets = new InboxBuckets(store, options);
  }

  once(entry: InboxEntry, work: (transaction: Transaction | undefined) => Promise<Settlement>): Promise<InboxOutcome> {
    return this.#inBucket(entry, () => this.#attempt(entry, work));
  }

  async seal(entry: InboxEntry): Promise<'sealed' | 'handled'> {
    const outcome = await this.#inBucket(entry, () => this.#seal(entry));
    if (outcome.kind === 'handled') return 'handled';
    if (outcome.kind !== 'busy') return 'sealed';
    throw new InboxUnavailableError(entry.subscription, {
      cause: new TidingsError('TIDINGS_INBOX_BUSY', 'a copy that is being handled just now'),
    });
  }

  /** Has this very message taken effect? False also for a bucket that was dropped. Reads only. Rejects when the store is away. */
  async handled(entry: InboxEntry): Promise<boolean> {
    if (entry.bucket !== null && !isDay(entry.bucket)) return false;
    try {
      const { fingerprint, sealed } = await findEntry(this.store, this.store, entry, this.#options.retentionDays);
      return fingerprint !== null && !sealed && fingerprint.equals(entry.fingerprint);
    } catch (thrown) {
      if (sqlStateOf(thrown) === SQL_STATE.undefinedTable) return false;
      throw thrown;
    }
  }

  async #attempt(entry: InboxEntry, work: (transaction: Transaction) => Promise<Settlement>): Promise<InboxOutcome> {
    let refusal: InboxRefusal | undefined;
    let reached = false;
    try {
      const begin = (run: Run): Promise<Settlement> => runFrom(this.store, this.#register(entry), run);
      const settlement = await commitOnAccept(begin, async (transaction, { rowCount }) => {
        if (rowCount !== 1) {
          refusal = await this.#explain(entry, transaction);
          return accept;
        }
        reached = true;
        return work(transaction);
      });
      return refusal ?? { kind: 'handled', settlement };
    } catch (thrown) {
      if (reached) throw thrown;
      return this.#refusal(entry, asError(thrown));
    }
  }

  async #seal(entry: InboxEntry): Promise<Sealed | InboxRefusal> {
    try {
      const { rowCount } = await this.store.query(this.#register(entry, true));
      if (rowCount === 1) return { kind: 'sealed' };
      const { fingerprint, sealed } = await findEntry(this.store, this.store, entry, this.#options.retentionDays);
      // Where another content holds the key, a copy of this one would be a conflict: it will not be handled either.
      const handled = fingerprint !== null && !sealed && fingerprint.equals(entry.fingerprint);
      return { kind: handled ? 'handled' : 'sealed' };
    } catch (thrown) {
      return this.#refusal(entry, asError(thrown));
    }
  }

  async #explain(entry: InboxEntry, transaction: Transaction): Promise<InboxRefusal> {
    const { retentionDays } = this.#options;
    const { inside, horizon, fingerprint } = await findEntry(this.store, transaction, entry, retentionDays);
    if (!inside) return { kind: 'outside', horizon };
    if (!fingerprint) return { kind: 'busy' }; // it was there and is gone: a foreign entry that was cleaned up just now
    return { kind: fingerprint.equals(entry.fingerprint) ? 'duplicate' : 'conflict' };
  }

  /** What a failure before the handler means. */
  #refusal(entry: InboxEntry, error: Error): InboxRefusal {
    const state = sqlStateOf(error);
    if (state === SQL_STATE.undefinedTable && entry.bucket !== null) throw new MissingBucket(error);
    if (state === SQL_STATE.lockTimeout) return { kind: 'busy' };
    if (isDataException(state)) return { kind: 'unfit', problem: error.message };
    throw new InboxUnavailableError(entry.subscription, { cause: error });
  }

  /** Tries; makes the bucket, on Tidings' own connections and with no transaction open, when its table is missing; tries once more. */
  async #inBucket<Outcome>(entry: InboxEntry, attempt: () => Promise<Outcome>): Promise<Outcome | InboxRefusal> {
    const { bucket, subscription } = entry;
    if (bucket !== null && !isDay(bucket)) {
      return { kind: 'unfit', problem: `bucket: expected a date YYYY-MM-DD, found ${JSON.stringify(bucket)}` };
    }
    try {
      return await attempt();
    } catch (thrown) {
      if (!(thrown instanceof MissingBucket)) throw thrown;
    }
    try {
      const answer = await this.buckets.demand(bucket!);
      if (answer.kind !== 'ready') return answer;
    } catch (thrown) {
      return this.#refusal({ ...entry, bucket: null }, asError(thrown));
    }
    return attempt().catch((thrown: unknown) => {
      throw thrown instanceof MissingBucket ? new InboxUnavailableError(subscription, { cause: thrown }) : thrown;
    });
  }
}

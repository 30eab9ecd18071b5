import { asError, type Clock, crc32c, type DeadLetterSink, type Message, PeriodicTask, type Store, type TidingsLogger, timestampOf, type Transaction } from '@tidings/core'; // prettier-ignore
import { type Confirmation, Recheck, type RecheckPayload } from './callback.contracts';
import type { ResolvedCallbackServiceOptions } from './callback.options';
import { isBucket } from './bucket';
import { messageDigest } from './message-digest';
import type { ResendAnswer, Resender } from './resender';
import { addCounts } from './sql/add-counts';
import { claimChecks, type DueCheck } from './sql/claim-checks';
import { createBucket } from './sql/create-bucket';
import { deleteCheck } from './sql/delete-check';
import { deleteConfirmedChecks } from './sql/delete-confirmed-checks';
import { deleteSubscription } from './sql/delete-subscription';
import { dropBuckets } from './sql/drop-buckets';
import { type ArrivedRecheck, fileChecks } from './sql/file-checks';
import { insertConfirmations } from './sql/insert-confirmations';
import { type ExpectedSubscription, listSubscriptions } from './sql/list-subscriptions';
import { type GroupLatency, measureConfirmations } from './sql/measure-confirmations';
import { measureUnconfirmed, type Unconfirmed } from './sql/measure-unconfirmed';
import { noteAnswer } from './sql/note-answer';
import { readCounts } from './sql/read-counts';
import { upsertSubscriptions } from './sql/upsert-subscriptions';

export interface CallbackDeskSetup {
  readonly store: Store;
  readonly resender: Resender;
  readonly deadLetters: DeadLetterSink;
  readonly options: ResolvedCallbackServiceOptions;
  /** This process, for a dead letter's story. */
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

export interface CallbackMeasures {
  /** Now: messages that were rechecked, or wait for their recheck here, and are not confirmed by all. */
  readonly unconfirmed: Unconfirmed;
  /** Rechecks that arrived. */
  readonly rechecks: number;
  /** Messages that a sender sent again, each time counted. */
  readonly resends: number;
  /** Confirmations of groups that a message was sent to again although they had handled it. */
  readonly falseAlarms: number;
  /** Messages that never happened: their transaction rolled back. */
  readonly never: number;
  /** Messages given up as dead letters. */
  readonly wornOut: number;
  /** By group, over the last hour. */
  readonly latency: readonly GroupLatency[];
}

const PAGE = 100;
const UPKEEP_MS = 3_600_000;

/**
 * The callback service: files confirmations, and looks after the messages whose rechecks find them missing.
 *
 * A check is filed → (due) taken, in one process → all confirmed: done · sender answers never: done · sent, undecided or nobody answers: due again,
 * later each time → worn out: a dead letter, which is the recheck itself, so that its redrive checks anew. Any number of processes.
 */
export class CallbackDesk {
  readonly #task: PeriodicTask;
  readonly #upkeep: PeriodicTask;
  readonly #buckets = new Set<string>();

  constructor(private readonly setup: CallbackDeskSetup) {
    const { options, clock, logger } = setup;
    this.#task = new PeriodicTask({ name: 'callback checks', everyMs: options.everyMs, runOnce: (signal) => this.runOnce(signal), clock, logger }); // prettier-ignore
    this.#upkeep = new PeriodicTask({ name: 'callback upkeep', everyMs: UPKEEP_MS, runOnce: () => this.dropExpired(), clock, logger }); // prettier-ignore
  }

  start(): void {
    this.#task.start();
    this.#upkeep.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#task.stop(), this.#upkeep.stop()]);
  }

  /** Rechecks have come. Part of the transaction; the same ones may come again. */
  async recheck(arrived: readonly ArrivedRecheck[], transaction: Transaction): Promise<void> {
    const { store, options } = this.setup;
    await fileChecks(store, transaction, arrived, options.graceMs);
    await addCounts(store, transaction, { rechecks: arrived.length });
  }

  /** Confirmations have come. Part of the transaction; the same ones may come again. */
  async confirm(confirmations: readonly Confirmation[], transaction: Transaction): Promise<void> {
    const { store, options } = this.setup;
    const known = confirmations.filter(({ bucket }) => isBucket(bucket));
    for (const bucket of new Set(known.map((one) => one.bucket))) await this.#ready(bucket);
    const falseAlarms = await insertConfirmations(store, transaction, known, options.retentionDays);
    await deleteConfirmedChecks(store, transaction, known.map(({ source, id }) => messageDigest(source, id))); // prettier-ignore
    await addCounts(store, transaction, { falseAlarms });
  }

  /** Durable subscriptions have started somewhere. */
  async subscribed(
    subscriptions: readonly { readonly type: string; readonly group: string }[],
    since: string,
    transaction: Transaction,
  ): Promise<void> {
    await upsertSubscriptions(this.setup.store, transaction, subscriptions, since);
  }

  /** Who is expected to confirm. */
  subscriptions(): Promise<readonly ExpectedSubscription[]> {
    return listSubscriptions(this.setup.store);
  }

  /** A group that is gone for good: it is not expected any more, also for what is open. False when it was not known. */
  forget(type: string, group: string): Promise<boolean> {
    return deleteSubscription(this.setup.store, type, group);
  }

  async measures(): Promise<CallbackMeasures> {
    const { store } = this.setup;
    const [unconfirmed, counts, latency] = await Promise.all([
      measureUnconfirmed(store),
      readCounts(store),
      measureConfirmations(store),
    ]);
    const { rechecks = 0, resends = 0, falseAlarms = 0, never = 0, wornOut = 0 } = counts;
    return { unconfirmed, rechecks, resends, falseAlarms, never, wornOut, latency };
  }

  /** Looks at a page of what is due. */
  async runOnce(signal?: AbortSignal): Promise<{ readonly again: boolean }> {
    const { store, options } = this.setup;
    const due = await claimChecks(store, options, PAGE);
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let check = due[next++]; check && !signal?.aborted; check = due[next++]) await this.#check(check);
    };
    await Promise.all(Array.from({ length: options.concurrency }, worker));
    return { again: due.length === PAGE && !signal?.aborted };
  }

  /** Gives up confirmations past the retention. */
  async dropExpired(): Promise<void> {
    await dropBuckets(this.setup.store, 'callback_confirmation', this.setup.options.retentionDays);
    this.#buckets.clear();
  }

  async #check(check: DueCheck): Promise<void> {
    const { store, options, logger } = this.setup;
    const { digest, missing, payload, asked } = check;
    try {
      if (missing.length === 0) return void (await deleteCheck(store, store, digest));
      if (asked > options.checks) return await this.#bury(check);
      await this.#ask(check);
    } catch (thrown) {
      const fields = { message: payload.id, source: payload.source, asked, err: asError(thrown) };
      logger.warn(fields, 'a message is not confirmed, and its sender could not be asked; it is asked again');
    }
  }

  async #ask({ digest, missing, payload }: DueCheck): Promise<void> {
    const { store, resender } = this.setup;
    const { afterMs: _, groups: __, ...question } = payload;
    let answer: ResendAnswer | null = null;
    try {
      answer = await resender.resend({ ...question, groups: [...missing] });
    } finally {
      await store.run(async (transaction) => {
        if (answer === 'never') {
          if (await deleteCheck(store, transaction, digest)) await addCounts(store, transaction, { never: 1 });
          return;
        }
        await noteAnswer(store, transaction, digest, answer, missing);
        if (answer === 'sent') await addCounts(store, transaction, { resends: 1 });
      });
    }
  }

  /** The letter first: a crash in between buries it again, which files nothing twice. */
  async #bury(check: DueCheck): Promise<void> {
    const { store, deadLetters, instance, clock, logger } = this.setup;
    const { digest, missing, payload, answer, asked } = check;
    const told = answer === null ? 'could not be asked' : `answered "${answer}" last`;
    const reason = `unconfirmed: ${missing.join(', ')} did not confirm ${payload.type} ${payload.id} of ${payload.source}; its sender ${told}`;
    logger.error({ message: payload.id, source: payload.source, groups: missing }, reason);
    const errors = [{ name: 'Unconfirmed', message: reason }];
    await deadLetters.bury({
      message: await recheckOf(check),
      direction: 'inbound',
      place: CALLBACK_GROUP,
      transport: '',
      reason,
      attempts: asked - 1,
      failures: [{ attempt: asked - 1, at: timestampOf(clock.now()), instance, errors }],
    });
    await store.run(async (transaction) => {
      if (await deleteCheck(store, transaction, digest)) await addCounts(store, transaction, { wornOut: 1 });
    });
  }

  async #ready(bucket: string): Promise<void> {
    if (this.#buckets.has(bucket)) return;
    await createBucket(this.setup.store, 'callback_confirmation', bucket, this.setup.options.retentionDays);
    this.#buckets.add(bucket);
  }
}

/** The group of the callback service, on each of its topics. */
export const CALLBACK_GROUP = 'callback';

/** The recheck as it came. */
async function recheckOf(check: DueCheck): Promise<Message> {
  const payload: RecheckPayload = { ...check.payload, afterMs: 0 };
  const { bytes } = await Recheck.encode(payload);
  return {
    id: check.recheck_id,
    source: check.recheck_source,
    type: Recheck.type,
    version: Recheck.version,
    topic: Recheck.topic,
    key: null,
    time: check.recheck_time,
    contentType: Recheck.contentType,
    payload: bytes,
    bucket: check.recheck_bucket,
    generation: check.recheck_generation,
    crc32c: crc32c(bytes),
    headers: {},
  };
}

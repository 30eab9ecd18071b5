import { createHash } from 'node:crypto';
import { PeriodicTask, type Clock, dateOf, type Store, type TidingsLogger } from '@tidings/core';
import { createBucket } from '../sql/create-bucket';
import { dropBuckets } from '../sql/drop-buckets';
import { registerNonce } from '../sql/register-nonce';
import type { RequestSignature } from './http-signature';

/** Windows are half a day at most, and clocks half a day apart: what was signed two days ago is refused by its time. */
const KEEP_DAYS = 2;
const UPKEEP_MS = 3_600_000;

/** Remembers in the database which requests were answered, until their time refuses them: a table a day of their signing, dropped when it is over. */
export class Nonces {
  readonly #upkeep: PeriodicTask;
  readonly #buckets = new Set<string>();

  constructor(
    private readonly store: Store,
    clock: Clock,
    logger: TidingsLogger,
  ) {
    this.#upkeep = new PeriodicTask({ name: 'callback nonces', everyMs: UPKEEP_MS, runOnce: () => this.dropExpired(), clock, logger }); // prettier-ignore
  }

  start(): void {
    this.#upkeep.start();
  }

  stop(): Promise<void> {
    return this.#upkeep.stop();
  }

  /** True once, in all processes on this database. Only for a signature that is genuine and in time: its date names the table. */
  async use({ created, keyId, nonce }: RequestSignature): Promise<boolean> {
    const bucket = dateOf(created * 1_000);
    if (!this.#buckets.has(bucket)) {
      await createBucket(this.store, 'callback_nonce', bucket, KEEP_DAYS);
      this.#buckets.add(bucket);
    }
    const digest = createHash('sha256').update(`${keyId}\0${nonce}`).digest();
    return registerNonce(this.store, digest, bucket);
  }

  async dropExpired(): Promise<void> {
    this.#buckets.clear();
    await dropBuckets(this.store, 'callback_nonce', KEEP_DAYS);
  }
}

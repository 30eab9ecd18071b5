import {
  asError,
  type Clock,
  type Closeable,
  PeriodicTask,
  release,
  type Settlement,
  type TidingsLogger,
} from '@tidings/core';
import type { Direction } from './parked-identity';
import type { ParkedKeys } from './parked-keys';
import { failureOf } from './parking.middleware';
import { type ClaimedKey, claimDueKeys } from './sql/claim-due-keys';
import { leaveParkedKey } from './sql/leave-parked-key';
import { postponeKey } from './sql/postpone-key';
import { type Head, readHead } from './sql/read-head';
import { renewClaim } from './sql/renew-claim';
import { dueInMs, parkedChannel } from './parked-channel';

/**
 * Tries a head once more: inbound by the chain of its handler, outbound by its publisher; `attempt` is one more than have failed. Resolves with what
 * became of it, `accept` with `buried` for a dead letter.
 */
export type Release = (head: Head, attempt: number, signal: AbortSignal) => Promise<Settlement>;

export interface KeyReleaserSetup {
  readonly parkedKeys: ParkedKeys;
  readonly direction: Direction;
  /** What this process can release, by place; asked at each turn. */
  readonly places: () => ReadonlyMap<string, Release> | Promise<ReadonlyMap<string, Release>>;
  /** May the keys of the place go on in this process just now? Asked before each head. Default: yes. */
  readonly open?: (place: string) => boolean;
  /** Tells this process in the table. */
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
}

/** What cuts the head that is being tried; one each, for handlers add listeners of their own. */
interface Hand {
  abort: AbortController;
}

/** Messages of one key in one go: after that, other keys that are due have their turn. */
const TURN = 100;
/** How often this process asks itself, and not the database, whether a key is due; after a failed look, the database. */
const TICK_MS = 1_000;
/** A key that was due and could not be taken, for an arrival had its row locked just then. */
const LOCKED_AGAIN_MS = 50;

/**
 * Lets parked keys go on: takes those that are due, a few at a time, tries each one's head and, when that is done, its followers, until the key is
 * empty. Any number of processes may run it; a key is released by one, under a lease, and each change asks for the lease's epoch.
 *
 * The database is asked when this process knows a key to be due: whoever parks or resumes one tells how soon, in this process at once and in the others
 * by NOTIFY, and a look tells when the next is due, the ends of other processes' leases among them. So a dead process's keys are found by whoever was
 * told of them, and an idle process asks every `pollMs` only, for what nobody told.
 *
 * A crash anywhere repeats at most the head in hand (the inbox knows it); the key is due again when the lease is over. A process that was paused past
 * its lease ends its attempt in vain: it can neither remove nor postpone.
 */
export class KeyReleaser {
  readonly #task: PeriodicTask;
  readonly #running = new Map<Promise<void>, Hand>();
  #listening: Promise<Closeable> | undefined;
  #forget: (() => void) | undefined;
  #stopping = false;
  /** When to look next, on the monotonic clock: soonest that a key is known to be due, or what nobody told of is asked for. */
  #dueAt = -Infinity;
  /** Places that the last look left out. */
  #shut: readonly string[] = [];

  constructor(private readonly setup: KeyReleaserSetup) {
    const { parkedKeys, direction, clock, logger } = setup;
    this.#task = new PeriodicTask({
      name: `parked keys (${direction})`,
      everyMs: Math.min(TICK_MS, parkedKeys.options.pollMs),
      runOnce: () => this.#runWhenDue(),
      clock,
      logger,
    });
  }

  /** Safe twice. Rejects when the store cannot be reached. */
  async start(): Promise<void> {
    const { parkedKeys, direction } = this.setup;
    this.#stopping = false;
    this.#dueAt = -Infinity;
    this.#listening ??= parkedKeys.store.listen(parkedChannel(parkedKeys.store), (payload) => {
      const inMs = dueInMs(direction, payload);
      if (inMs !== undefined) this.#dueIn(inMs);
    });
    await this.#listening;
    this.#forget ??= parkedKeys.onDue((told, inMs) => {
      if (told === direction) this.#dueIn(inMs);
    });
    this.#task.start();
  }

  /** Takes no more keys, waits up to `drainMs` for the heads in hand, aborts their signal, gives the keys back. Safe twice, and before `start`. */
  async stop(drainMs = 0): Promise<void> {
    this.#stopping = true;
    this.#forget?.();
    this.#forget = undefined;
    const listening = this.#listening;
    this.#listening = undefined;
    await this.#task.stop();
    const drained = new AbortController();
    const all = Promise.all(this.#running.keys()).then(() => drained.abort());
    await this.setup.clock.wait(drainMs, drained.signal);
    for (const hand of this.#running.values()) hand.abort.abort();
    await all;
    await (await listening)?.close();
  }

  /** Looks now and takes what is due, as far as there are places free. The keys are released in the background; `idle` waits for them. */
  async runOnce(): Promise<void> {
    const { parkedKeys, direction, instance, clock } = this.setup;
    const { concurrency, leaseMs, pollMs } = parkedKeys.options;
    const free = concurrency - this.#running.size;
    if (free <= 0) return; // the end of one of them looks again
    this.#dueAt = clock.monotonic() + pollMs;
    try {
      const places = await this.setup.places();
      const names = [...places.keys()].filter((place) => this.#open(place));
      this.#shut = [...places.keys()].filter((place) => !names.includes(place));
      if (names.length === 0) return;
      const { keys, nextMs } = await claimDueKeys(parkedKeys.store, direction, names, instance, leaseMs, free);
      for (const key of keys) this.#begin(key, places.get(key.place)!);
      if (nextMs !== undefined) this.#dueIn(Math.max(nextMs, LOCKED_AGAIN_MS));
    } catch (thrown) {
      this.#dueAt = -Infinity;
      throw thrown;
    }
  }

  async #runWhenDue(): Promise<{ nextMs: number }> {
    const { clock, parkedKeys } = this.setup;
    if (this.#dueAt <= clock.monotonic() || this.#shut.some((place) => this.#open(place))) await this.runOnce();
    const full = this.#running.size >= parkedKeys.options.concurrency;
    return { nextMs: full ? TICK_MS : Math.max(0, this.#dueAt - clock.monotonic()) };
  }

  #open(place: string): boolean {
    return this.setup.open?.(place) ?? true;
  }

  #dueIn(inMs: number): void {
    const at = this.setup.clock.monotonic() + inMs;
    if (at >= this.#dueAt) return;
    this.#dueAt = at;
    this.#task.wake();
  }

  /** Resolves when nothing is being released in this process. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.keys());
  }

  #begin(key: ClaimedKey, attempt: Release): void {
    const hand: Hand = { abort: new AbortController() };
    this.#dueIn(this.setup.parkedKeys.options.leaseMs); // in case the store is away when the key is to be given back
    const running = this.#release(key, attempt, hand).finally(() => {
      this.#running.delete(running);
      if (!this.#stopping) this.#task.wake();
    });
    this.#running.set(running, hand);
  }

  /** Never rejects: what fails here leaves the key to whoever finds its lease over. */
  async #release(key: ClaimedKey, attempt: Release, hand: Hand): Promise<void> {
    const { parkedKeys, logger } = this.setup;
    try {
      for (let turn = 0; turn < TURN && !this.#stopping && this.#open(key.place); turn++) {
        const head = await readHead(parkedKeys.store, key, parkedKeys.options.leaseMs);
        if (!head) return;
        hand.abort = new AbortController();
        const settlement = await this.#tryHead(key, head, attempt, hand.abort.signal);
        if (!(await this.#settle(key, head, settlement))) return;
      }
      await postponeKey(parkedKeys.store, key, { delayMs: 0, failed: 0, reason: 'others have their turn' });
      this.#dueIn(0);
    } catch (thrown) {
      logger.warn({ place: key.place, err: asError(thrown) }, 'a parked key could not be released; it is tried again');
    }
  }

  async #tryHead(key: ClaimedKey, head: Head, attempt: Release, signal: AbortSignal): Promise<Settlement> {
    const { parkedKeys, clock } = this.setup;
    const { leaseMs } = parkedKeys.options;
    const cut = new Promise<Settlement>((resolve) =>
      signal.addEventListener('abort', () => resolve(release), { once: true }),
    );
    const done = new AbortController();
    const renewing = (async () => {
      for (;;) {
        await clock.wait(leaseMs / 3, done.signal);
        if (done.signal.aborted) return;
        await renewClaim(parkedKeys.store, key, leaseMs).catch(() => undefined); // the next one may reach it; the epoch decides
      }
    })();
    try {
      return await Promise.race([attempt(head, head.attempts + 1, signal), cut]);
    } finally {
      done.abort();
      await renewing;
    }
  }

  /** True when the key's next message is to be tried at once. */
  async #settle(key: ClaimedKey, { position, attempts, message }: Head, settlement: Settlement): Promise<boolean> {
    const { parkedKeys, logger } = this.setup;
    const fields = { place: key.place, key: message.key, message: message.id };
    if (settlement.kind === 'accept' && settlement.buried === undefined) {
      const left = await leaveParkedKey(parkedKeys.store, key, position);
      if (left === 'unparked') logger.info(fields, 'key unparked: nothing waits behind this message');
      return left === 'next';
    }
    const failure = failureOf(settlement, attempts + 1);
    const delayMs = failure ? failure.delayMs : settlement.kind === 'retry' ? settlement.afterMs : 0;
    const postponed = await postponeKey(parkedKeys.store, key, {
      ...(delayMs !== undefined && { delayMs }),
      failed: (failure?.attempts ?? attempts) - attempts,
      reason: failure?.reason ?? settlement.kind,
    });
    if (postponed && delayMs !== undefined) this.#dueIn(delayMs);
    if (!postponed)
      logger.warn(fields, 'a parked key was taken over by another process; this attempt counts for nothing');
    else if (delayMs === undefined) logger.warn(fields, 'key parked: it waits for a redrive of this message');
    else if (settlement.kind === 'park') logger.warn({ ...fields, reason: settlement.reason }, 'a parked key waits');
    return false;
  }
}

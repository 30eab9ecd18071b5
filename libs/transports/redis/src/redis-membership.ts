import { asError, type Clock, type TidingsLogger } from '@tidings/core';
import { beat } from './lua/beat';
import { cedeLease } from './lua/cede-lease';
import { type LeaseHolding, newHolding } from './lease-holding';
import type { RedisConnection } from './redis-connection';

export interface MembershipSetup {
  readonly connection: RedisConnection;
  readonly base: string;
  readonly reader: { readonly group: string; readonly consumer: string; readonly token: string };
  readonly ordered: boolean;
  /** Of the topic, as the group was declared last. */
  readonly streams: () => number;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  /** Leases were won, lost or freed. */
  readonly changed: () => void;
}

const BEAT_MS = 1_000;

/**
 * One consumer's place in its group: that it lives, and in an ordered group which streams are its own. A stream goes from one living consumer to another
 * only when nothing of it runs any more; a dead one's is free when its lease is over, by Redis's clock. This process takes its leases for lost by its
 * own clock when it could not renew them in time, for then another may have them.
 */
export class RedisMembership {
  readonly holdings = new Map<number, LeaseHolding>();
  readonly #stopping = new AbortController();
  #renewed: number;
  #beating: Promise<void> | undefined;
  #accepted = false;

  constructor(private readonly setup: MembershipSetup) {
    this.#renewed = setup.clock.monotonic();
  }

  /** False while it is not known to live, or another process has its name. */
  get accepted(): boolean {
    return this.#accepted;
  }

  /** Call once, when the group is declared. Rejects when Redis does. */
  async start(): Promise<void> {
    await this.#beat();
    this.#beating = this.#keep();
  }

  /** No beat from now on; leases are kept till they are given up or over. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#beating;
  }

  async #keep(): Promise<void> {
    const { clock, leaseMs, logger, reader } = this.setup;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await clock.wait(Math.min(BEAT_MS, leaseMs / 3), signal);
      if (signal.aborted) return;
      try {
        await this.#beat();
      } catch (thrown) {
        logger.debug({ group: reader.group, err: asError(thrown) }, 'a consumer could not tell Redis that it lives');
        if (clock.monotonic() - this.#renewed >= leaseMs) this.#lose();
      }
    }
  }

  async #beat(): Promise<void> {
    const { base, clock, connection, leaseMs, logger, ordered, reader } = this.setup;
    const asked = clock.monotonic();
    // The lease counts from when Redis writes it, not before it was asked: ours is over first.
    if (asked - this.#renewed >= leaseMs) this.#lose();
    const { accepted, live, owned } = await beat(connection, base, reader, leaseMs, ordered);
    if (!accepted && this.#accepted !== accepted)
      logger.error({ group: reader.group, consumer: reader.consumer }, 'another process has the name of this consumer');
    this.#accepted = accepted;
    if (!accepted) return this.#lose();
    this.#renewed = asked;
    if (!ordered) return;
    this.#reconcile(owned);
    await this.#shareOut(live, owned.length);
  }

  #reconcile(owned: readonly number[]): void {
    const mine = new Set(owned);
    let changed = false;
    for (const [number, holding] of this.holdings) {
      if (mine.has(number)) continue;
      holding.alive = false;
      this.holdings.delete(number);
      changed = true;
    }
    for (const number of owned) {
      if (this.holdings.has(number)) continue;
      this.holdings.set(number, newHolding(number, true));
      changed = true;
    }
    if (changed) this.setup.changed();
  }

  /** Gives away what is above its share, when it has come to rest. */
  async #shareOut(live: number, owned: number): Promise<void> {
    const { base, connection, reader } = this.setup;
    const share = Math.ceil(this.setup.streams() / Math.max(1, live));
    let surplus = owned - share;
    for (const holding of [...this.holdings.values()].reverse()) {
      holding.leaving = surplus-- > 0;
      if (!holding.leaving || holding.unsettled > 0 || holding.taking) continue;
      holding.alive = false;
      this.holdings.delete(holding.number);
      await cedeLease(connection, base, reader, holding.number);
    }
  }

  #lose(): void {
    if (this.holdings.size === 0) return;
    for (const holding of this.holdings.values()) holding.alive = false;
    this.holdings.clear();
    this.setup.changed();
  }
}

import { systemClock } from '@tidings/core';
import { NotCommittedError, withTransaction } from '@tidings/database';
import type { Outbox } from '@tidings/messaging';
import type { Pool, PoolClient } from 'pg';
import type { HistoryFile } from './history';
import { isSabotaged, KEYS, Moved } from './scene';

/** Transactions at once in one process, so that they wait for each other's row locks. */
const WRITERS = 3;
export const CONNECTIONS = isSabotaged('own-transaction') ? 2 * WRITERS : WRITERS;
/** After each transaction, and after one that failed for want of a server. */
const PAUSE_MS = 25;
const PAUSE_AFTER_FAILURE_MS = 200;

const ROLLED_BACK_SHARE = 0.1;
const SAVEPOINT_SHARE = 0.2;
const UNDONE_SHARE = 0.5;
const MOST_MESSAGES = 3;

class PlannedRollback extends Error {}

export interface SenderSetup {
  /** Unique over processes and their restarts. */
  readonly name: string;
  readonly pool: Pool;
  readonly outbox: Outbox;
  readonly history: HistoryFile;
  readonly random: () => number;
}

/** Transactions, one after another in each writer, until it is stopped. What it writes to the history is all that is known of it. */
export class Sender {
  #number = 0;
  readonly #stopping = new AbortController();
  #writers: readonly Promise<void>[] = [];

  constructor(private readonly setup: SenderSetup) {}

  start(): void {
    this.#writers = Array.from({ length: WRITERS }, () => this.#write());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#writers);
  }

  async #write(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const outcome = await this.#transaction();
      await systemClock.wait(outcome === 'committed' ? PAUSE_MS : PAUSE_AFTER_FAILURE_MS * this.setup.random(), signal);
    }
  }

  async #transaction(): Promise<'committed' | 'rolledBack' | 'unknown'> {
    const { pool, history, random, name } = this.setup;
    const tx = `${name}.t${this.#number++}`;
    let committing = false;
    let outcome: 'committed' | 'rolledBack' | 'unknown' = 'committed';
    try {
      await withTransaction(pool, async (client) => {
        // In one order, lest two writers wait for each other's locks.
        const keys = Array.from({ length: 1 + Math.floor(random() * MOST_MESSAGES) }, () => this.#key()).sort();
        for (const key of keys) await this.#publishOne(client, tx, key);
        if (random() < ROLLED_BACK_SHARE) throw new PlannedRollback();
        committing = true;
      });
    } catch (thrown) {
      // COMMIT was not sent before `committing`: whatever broke, nothing of it stays. After that only a server's own no is a no.
      outcome = committing && !(thrown instanceof NotCommittedError) ? 'unknown' : 'rolledBack';
    }
    history.write({ event: 'end', tx, outcome });
    return outcome;
  }

  #key(): string {
    return KEYS[Math.floor(this.setup.random() * KEYS.length)]!;
  }

  /** The key's row first, then the publish: that is what gives order. A savepoint may take both back. */
  async #publishOne(client: PoolClient, tx: string, key: string): Promise<void> {
    const { outbox, history, random } = this.setup;
    const message = `${this.setup.name}.m${this.#number++}`;
    const [savepoint, undone, locked] = [random() < SAVEPOINT_SHARE, random() < UNDONE_SHARE, random() < 0.5];
    // Half of the savepoints begin under the lock, the others give it back when they are undone.
    if (savepoint && locked) await client.query('select from chaos.key where name = $1 for update', [key]);
    if (savepoint) await client.query('savepoint here');
    const { rows } = await client.query<{ counter: string }>(
      'update chaos.key set counter = counter + 1 where name = $1 returning counter',
      [key],
    );
    const counter = Number(rows[0]!.counter);
    await client.query('insert into chaos.business (message, key, counter) values ($1, $2, $3)', [
      message,
      key,
      counter,
    ]);
    history.write({ event: 'publish', tx, message, key, counter });
    const publish = async (within: PoolClient): Promise<unknown> =>
      outbox.within(within).publish(Moved, { key, counter }, { id: message });
    await (isSabotaged('own-transaction') ? withTransaction(this.setup.pool, publish) : publish(client));
    if (!savepoint) return;
    await client.query(undone ? 'rollback to savepoint here' : 'release savepoint here');
    if (undone) history.write({ event: 'undone', tx, message });
  }
}

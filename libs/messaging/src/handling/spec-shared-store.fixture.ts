import type { MessageContext, Savepoints, Transaction } from '@tidings/core';
import type { SharedTransaction } from '@tidings/inbox';

/** A store and its inbox in memory, which remember what was committed. One transaction at a time holds for what a gate does. */
export class SpecSharedStore {
  /** Effects in the order of their commits. */
  readonly committed: string[] = [];
  readonly #handled = new Set<string>();
  #pending: string[] = [];
  transactions = 0;
  /** Thrown by the next commits. */
  readonly failingCommits: Error[] = [];

  readonly effect = (id: string): void => void this.#pending.push(id);

  readonly transaction: SharedTransaction = async (contexts, work) => {
    this.transactions += 1;
    this.#pending = [];
    const first = new Map<string, number>();
    const verdicts = contexts.map(({ message: { id } }, at) => {
      if (this.#handled.has(id)) return { kind: 'settled', settlement: { kind: 'accept' } } as const;
      const of = first.get(id);
      if (of !== undefined) return { kind: 'copy', of } as const;
      first.set(id, at);
      return { kind: 'handle' } as const;
    });
    if (verdicts.some(({ kind }) => kind === 'handle')) {
      const undone = await work(this.#transaction, verdicts);
      const failure = this.failingCommits.shift();
      if (failure) throw failure;
      for (const [at, { kind }] of verdicts.entries())
        if (kind === 'handle' && !undone.includes(at)) this.#handled.add(idOf(contexts[at]!));
      this.committed.push(...this.#pending);
    }
    return verdicts;
  };

  readonly #transaction: Transaction & Savepoints = {
    query: () => Promise.reject(new Error('no SQL here')),
    afterCommit: () => undefined,
    savepoint: async (work) => {
      const before = this.#pending.length;
      try {
        return await work();
      } catch (thrown) {
        this.#pending.splice(before);
        throw thrown;
      }
    },
  };
}

const idOf = ({ message }: MessageContext): string => message.id;

import { type BatchMember, heldBack } from './batch-member';

/** The ordered keys of a batch with a message that is not settled for good: what follows it must not run before it. */
export class BlockedKeys {
  readonly #keys: Set<string>;

  constructor(keys: Iterable<string> = []) {
    this.#keys = new Set(keys);
  }

  /** For a transaction that may come to nothing. */
  copy(): BlockedKeys {
    return new BlockedKeys(this.#keys);
  }

  block(key: string | null): void {
    if (key !== null) this.#keys.add(key);
  }

  has({ orderedKey }: BatchMember): boolean {
    return orderedKey !== null && this.#keys.has(orderedKey);
  }

  /** Those that may go on; the others are held back. */
  pass(members: readonly BatchMember[]): BatchMember[] {
    return members.filter((member) => {
      const held = this.has(member);
      if (held) member.settle(heldBack);
      return !held;
    });
  }

  /** Those that can do without the failed ones: the ones behind them in their keys are held back, the ones before them may run. */
  without(members: readonly BatchMember[], failed: readonly BatchMember[]): BatchMember[] {
    const bad = new Set(failed);
    const behind = new BlockedKeys();
    return members.filter((member) => {
      if (!bad.has(member)) return behind.pass([member]).length > 0;
      behind.block(member.orderedKey);
      return false;
    });
  }
}

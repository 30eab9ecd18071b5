import { OptionsError } from '../errors';

/** How many messages of one key may run at once in a process; changed while running, by whoever holds it. */
export class KeyLimit {
  #value: number;
  readonly #listeners = new Set<() => void>();

  /** @throws OptionsError for anything but a whole number from 1; Infinity is no limit. */
  constructor(value: number) {
    this.#value = checked(value);
  }

  get value(): number {
    return this.#value;
  }

  /** Those that run stay. @throws OptionsError as the constructor. */
  set(value: number): void {
    this.#value = checked(value);
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each change, until what it answers is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

function checked(value: number): number {
  if (value === Infinity || (Number.isInteger(value) && value >= 1)) return value;
  throw new OptionsError('keyConcurrency', `must be a whole number from 1, found ${value}`);
}

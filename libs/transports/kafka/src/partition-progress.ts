/** Kafka takes 4,096 bytes beside an offset ("offset.metadata.max.bytes"). */
const MOST_METADATA = 4_000;

/**
 * How far a group is in one partition. Kafka keeps one offset: everything below is done. What is done above it is written beside it, as runs, so that
 * whoever reads on from there does not do it again (the scheme of Confluent's Parallel Consumer); so is what was begun and not ended.
 *
 * `open` written there: its reader may have begun anything up to the log's end, and has not said what. `closed`: it has.
 */
export class PartitionProgress {
  /** Deliveries can be settled: the partition is ours, in the generation in which they were read. */
  alive = true;
  /** Begins at the first offset that is not done; in order. */
  readonly #unsettled = new Set<number>();
  readonly #doneAbove = new Set<number>();
  readonly #begun = new Set<number>();
  readonly #doneBefore: ReadonlySet<number>;
  readonly #begunBefore: ReadonlySet<number>;
  readonly #wasOpen: boolean;
  #next: number;
  /** Of the log, when this reader came. */
  #endAtStart: number | undefined;
  changed = true;

  constructor(committed: { readonly offset: number; readonly metadata: string }) {
    this.#next = Math.max(0, committed.offset);
    const [, state, done = '', begun = ''] = /^(open|closed);([\w,-]*);([\w,-]*)$/.exec(committed.metadata) ?? [];
    this.#wasOpen = state === 'open';
    this.#doneBefore = read(done, this.#next);
    this.#begunBefore = read(begun, this.#next);
    for (const offset of this.#doneBefore) this.#doneAbove.add(offset);
  }

  /** Taken and not settled. */
  get held(): number {
    return this.#unsettled.size;
  }

  /** The next offset that was not taken yet. */
  get next(): number {
    return this.#next;
  }

  /** In the order of the log. False when it was done before. */
  take(offset: number, end: number): boolean {
    this.#endAtStart ??= end;
    this.#next = offset + 1;
    this.changed = true;
    if (this.#doneBefore.has(offset)) return false;
    this.#unsettled.add(offset);
    return true;
  }

  /** Whether a handler may have met it already. */
  wasBegun(offset: number): boolean {
    return this.#begunBefore.has(offset) || (this.#wasOpen && offset < (this.#endAtStart ?? 0));
  }

  begin(offset: number): void {
    this.#begun.add(offset);
  }

  /** False when it was settled before. */
  settle(offset: number): boolean {
    if (!this.#unsettled.delete(offset)) return false;
    this.#begun.delete(offset);
    this.#doneAbove.add(offset);
    this.changed = true;
    return true;
  }

  /** What to commit: the low-water mark. `closed`: nobody works on it any more, or is given up. */
  mark(closed: boolean): { readonly offset: number; readonly metadata: string } {
    const [offset = this.#next] = this.#unsettled;
    for (const done of this.#doneAbove) if (done < offset) this.#doneAbove.delete(done);
    const begun = closed ? runs([...this.#begunBefore, ...this.#begun].filter((at) => this.#unsettled.has(at)), offset) : ''; // prettier-ignore
    const left = MOST_METADATA - begun.length;
    // Cut off, some of it is done twice; the longest there are is what the prefetch allows.
    const done = runs([...this.#doneAbove], offset);
    const fitting = done.length <= left ? done : done.slice(0, done.lastIndexOf(',', left));
    return { offset, metadata: `${closed ? 'closed' : 'open'};${fitting};${begun.slice(0, MOST_METADATA)}` };
  }
}

/** `0-2,5`: distances from the offset, in base 36. */
function runs(offsets: readonly number[], from: number): string {
  const sorted = [...new Set(offsets)].filter((offset) => offset >= from).sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length;) {
    let last = at;
    while (sorted[last + 1] === sorted[last]! + 1) last += 1;
    const [first, end] = [sorted[at]! - from, sorted[last]! - from];
    parts.push(first === end ? first.toString(36) : `${first.toString(36)}-${end.toString(36)}`);
    at = last + 1;
  }
  return parts.join(',');
}

function read(text: string, from: number): Set<number> {
  const offsets = new Set<number>();
  for (const run of text === '' ? [] : text.split(',')) {
    const [first = NaN, last = first] = run.split('-').map((digits) => Number.parseInt(digits, 36));
    for (let at = first; at <= last; at++) offsets.add(from + at);
  }
  return offsets;
}

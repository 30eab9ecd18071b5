/** How often, and how much: the effect of gifts on one cell, as one viewer's place in one room. */
export interface Cell {
  readonly count: number;
  readonly amountMinor: number;
}

/** Effects by cell. */
export type Tally = ReadonlyMap<string, Cell>;

export interface TallyDifference {
  /** Effects that should be there and are not. */
  readonly missing: number;
  /** Effects that are there once too often. */
  readonly surplus: number;
  /** Cells whose money differs, however their counts compare. */
  readonly cells: readonly string[];
}

/** A cell's name from its parts, unambiguous for any text. */
export const cellOf = (...parts: readonly string[]): string => JSON.stringify(parts);

export function tallyOf<Row>(rows: Iterable<Row>, cell: (row: Row) => string, effect: (row: Row) => Cell): Tally {
  const tally = new Map<string, Cell>();
  for (const row of rows) {
    const { count, amountMinor } = effect(row);
    const before = tally.get(cell(row));
    tally.set(cell(row), {
      count: (before?.count ?? 0) + count,
      amountMinor: (before?.amountMinor ?? 0) + amountMinor,
    });
  }
  return tally;
}

/**
 * Compares cell by cell. Within one cell a lost effect and a doubled one of the same money cancel out; the ledger, whose cells are single gifts,
 * is the one that shows such a pair.
 */
export function differenceOf(expected: Tally, found: Tally): TallyDifference {
  let [missing, surplus] = [0, 0];
  const cells: string[] = [];
  for (const cell of new Set([...expected.keys(), ...found.keys()])) {
    const [should, is] = [expected.get(cell), found.get(cell)];
    const extra = (is?.count ?? 0) - (should?.count ?? 0);
    if (extra > 0) surplus += extra;
    else missing -= extra;
    if (extra !== 0 || is?.amountMinor !== should?.amountMinor) cells.push(cell);
  }
  return { missing, surplus, cells };
}

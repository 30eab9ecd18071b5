/** An entry that a group was given. */
export interface Entry {
  /** Names its stream below the topic's base: `3`, or `g:<group>:3`. */
  readonly suffix: string;
  readonly id: string;
  readonly fields: readonly Buffer[];
  /** Deliveries of this entry to the group before this one that may have reached a handler. */
  readonly before: number;
  /** Deaths that are written down for it beside the entry. */
  readonly deaths: number;
}

/** A reply of `[id, [name, value, …]]`; the fields of an entry that was deleted are nil. */
export type RawEntry = readonly [Buffer, readonly Buffer[] | null];

export const entryOf = (suffix: string, [id, fields]: RawEntry, before = 0, deaths = 0): Entry => ({
  suffix,
  id: id.toString(),
  fields: fields ?? [],
  before,
  deaths,
});

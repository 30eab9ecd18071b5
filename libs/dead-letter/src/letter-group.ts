/** `failure`: by fingerprint, that is place, handler and last error without its numbers. */
export type GroupedBy = 'failure' | 'type' | 'place';

/** Letters that wait for somebody and have one thing in common. */
export interface LetterGroup {
  readonly by: GroupedBy;
  /** The fingerprint, type or place; of a longer type or place, its first 200 characters. */
  readonly value: string;
  readonly count: number;
  /** There may be more than `count`: counting stops at `countTo`. */
  readonly orMore: boolean;
  /** When the first and the last of them was buried, RFC 3339. */
  readonly firstAt: string;
  readonly lastAt: string;
  /** The last one. */
  readonly example: {
    readonly id: string;
    readonly type: string;
    readonly place: string;
    readonly reason: string;
    readonly errorName: string | null;
  };
}

export interface GroupOptions {
  /** Default `failure`. */
  readonly by?: GroupedBy;
  /** Groups a page, 1 to 500. Default 100. */
  readonly limit?: number;
  /** The last value of the page before. */
  readonly after?: string;
  /** No group is counted further, 1 to 100,000. Default 10,000. */
  readonly countTo?: number;
}

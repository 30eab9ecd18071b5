import type { HeldLane } from './held-lane';
import type { Look } from './sql/look';

/** What one reader wants to know of the next look. */
export interface ReaderQuestion {
  /** Undefined while it stops: then it only keeps its leases. */
  readonly member: { readonly name: string; readonly owner: string; readonly leaseMs: number } | undefined;
  readonly leaseMs: number;
  readonly renew: readonly HeldLane[];
  readonly idle: readonly HeldLane[];
  readonly readers: readonly number[];
  /** The transport whose new destinations it looks for. */
  readonly transport: string | undefined;
}

/** Its share of the answer. */
export interface ReaderAnswer {
  /** The watcher's monotonic clock when the look was asked. */
  readonly asked: number;
  readonly target: string;
  /** By `laneId`. */
  readonly kept: ReadonlyMap<string, string>;
  readonly news: ReadonlySet<string>;
  readonly free: boolean;
  /** A reader of the question is no longer registered: nothing will come by it. */
  readonly gone: boolean;
  readonly members: number;
  readonly nextMs: number | null;
  readonly destinations: number | undefined;
  /** Another than before: something was decided of a subscription. */
  readonly controls: string;
}

/** A reader of the log, as the watch sees it. */
export interface WatchedReader {
  /** Called right before a look. */
  question(): ReaderQuestion;
  /** Does what the answer asks for; resolves with the time until the next look that it needs. */
  answered(answer: ReaderAnswer): Promise<number>;
  /** The look could not be had, or `answered` rejected. */
  failed(error: Error): void;
}

/** Who tends what belongs to no reader: messages for later, segments. */
export interface WatchedUpkeep {
  readonly pollMs: number;
  rotation(): { readonly afterMs: number; readonly fullBytes: number; readonly archiveMs: number } | undefined;
  answered(answer: Pick<Look, 'dueMs' | 'turn'>): void;
}

/**
 * Where a lane has got to. All of `snap` is delivered. With a window open (`target` set): of what is visible in `target` and not in `snap`, all up
 * to seq `progress`; `high` is the window's last seq. `count` messages were delivered in all.
 */
export interface Position {
  readonly snap: string;
  readonly target: string | null;
  readonly progress: string | null;
  readonly high: string | null;
  readonly count: number;
}

export type OpenWindow = Position & { readonly target: string; readonly progress: string; readonly high: string };

export const isOpen = (at: Position): at is OpenWindow =>
  at.target !== null && at.progress !== null && at.high !== null;

/** The window is delivered: it becomes part of `snap`. */
export const closeWindow = (at: Position, target: string, delivered: number): Position => ({
  snap: target,
  target: null,
  progress: null,
  high: null,
  count: at.count + delivered,
});

/** Delivered up to and including `seq` of the window that ends at `high`; closes it when that was the end. */
export const passed = (at: Position, target: string, seq: string, high: string, delivered: number): Position =>
  seq === high
    ? closeWindow(at, target, delivered)
    : { snap: at.snap, target, progress: seq, high, count: at.count + delivered };

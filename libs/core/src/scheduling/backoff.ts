const FIRST_MS = 100;

/** The wait after so many failures in a row: doubles, up to `maxMs`, less a random half, so that a fleet does not come back in one moment. */
export const backoffMs = (failures: number, maxMs: number): number =>
  Math.min(maxMs, FIRST_MS * 2 ** Math.min(failures - 1, 30)) * (0.5 + Math.random() / 2);

import type { Departure } from './member';

export interface SquaresVerdict {
  /** What the broadcast told; undefined: nobody heard one. */
  readonly sum: string | undefined;
  /** One line each; empty: all is as it must be. */
  readonly problems: readonly string[];
}

/** Compares what everybody heard with the sum of the squares that the producer drew. */
export function judge(sumOfSquares: string, departures: ReadonlyMap<string, Departure>): SquaresVerdict {
  const problems: string[] = [];
  for (const [name, { heard, problem }] of departures) {
    if (heard === undefined) problems.push(`${name} did not leave by the broadcast: ${problem ?? 'it heard none'}`);
    else if (problem !== undefined) problems.push(`${name} heard the broadcast and did not end well: ${problem}`);
    if (heard !== undefined && heard !== sumOfSquares)
      problems.push(`${name} heard the sum ${heard}, expected ${sumOfSquares}`);
  }
  const sum = [...departures.values()].find(({ heard }) => heard !== undefined)?.heard;
  return { sum, problems };
}

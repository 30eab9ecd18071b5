import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

/** What every entry of docs/results tells of itself. */
interface Measured {
  readonly command: string;
  /** As 2026-11-27. */
  readonly date: string;
}

export interface ConformanceResult extends Measured {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** Behaviour → the transport's own sentence. */
  readonly notApplicable: Readonly<Record<string, string>>;
}

export interface ChaosResult extends Measured {
  readonly sent: number;
  readonly rolledBack: number;
  readonly delivered: number;
  readonly duplicatesDelivered: number;
  readonly duplicatesApplied: number;
  readonly appliedThoughRolledBack: number;
  readonly lost: number;
  readonly invented: number;
  readonly outOfOrder: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Faults that the run could not have, each with its reason. */
  readonly excluded: readonly string[];
  readonly ok: boolean;
}

/** A contender: by rate, by latency, or by a count. */
export interface BenchFigure {
  readonly name: string;
  readonly perSecond?: number;
  readonly p50Ms?: number;
  /** Ours to it; of the first, which is ours, 1. */
  readonly ratio?: number;
}

export interface BenchResult extends Measured {
  /** What was measured, as a person reads it. */
  readonly row: string;
  readonly figures: readonly BenchFigure[];
}

/** By transport, and by row of the bench. */
export interface Results {
  readonly behaviours: readonly string[];
  readonly conformance: Readonly<Record<string, ConformanceResult>>;
  readonly chaos: Readonly<Record<string, ChaosResult>>;
  readonly bench: Readonly<Record<string, BenchResult>>;
}

const readJson = <T>(...path: string[]): T => JSON.parse(readFileSync(join(ROOT, ...path), 'utf8')) as T;

/** What is committed. The behaviours and their order are the required matrix's. */
export const committedResults = (): Results => ({
  behaviours: Object.keys(readJson<{ behaviours: object }>('test', 'conformance.json').behaviours),
  conformance: readJson('docs', 'results', 'conformance.json'),
  chaos: readJson('docs', 'results', 'chaos.json'),
  bench: readJson('docs', 'results', 'bench.json'),
});

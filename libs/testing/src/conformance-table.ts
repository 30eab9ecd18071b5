/** What `test/conformance.json` holds: every behaviour is required of every transport, but for the exceptions told here. */
export interface ConformanceMatrix {
  readonly transports: readonly string[];
  /** Behaviour → transport → why it need not have it. No exception: `{}`. */
  readonly behaviours: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export type ConformanceOutcome = 'pass' | 'fail' | 'not applicable' | 'not run';

export interface ConformanceCell {
  readonly outcome: ConformanceOutcome;
  /** Of `not applicable`: the transport's own sentence. */
  readonly reason?: string;
}

/** Transport → behaviour → cell. */
export type ConformanceResults = ReadonlyMap<string, ReadonlyMap<string, ConformanceCell>>;

/** The part of jest's `--json` that is read here. */
export interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

const SYMBOLS: Readonly<Record<ConformanceOutcome, string>> = {
  pass: '✓',
  fail: '✗',
  'not applicable': '–',
  'not run': '?',
};
const NOT_APPLICABLE = ' · not applicable: ';

/** Reads the titles that `transportConformance` declares: `conformance › <kind> › <behaviour>`. */
export function readResults(report: JestReport): ConformanceResults {
  const results = new Map<string, Map<string, ConformanceCell>>();
  for (const { assertionResults } of report.testResults) {
    for (const { ancestorTitles, title, status } of assertionResults) {
      const kind = ancestorTitles[ancestorTitles.indexOf('conformance') + 1];
      if (!ancestorTitles.includes('conformance') || kind === undefined) continue;
      const [behaviour, reason] = title.split(NOT_APPLICABLE) as [string, string?];
      const column = results.get(kind) ?? new Map<string, ConformanceCell>();
      results.set(kind, column.set(behaviour, cellOf(status, reason)));
    }
  }
  return results;
}

function cellOf(status: string, reason: string | undefined): ConformanceCell {
  if (reason !== undefined) return { outcome: 'not applicable', reason };
  return { outcome: status === 'passed' ? 'pass' : status === 'failed' ? 'fail' : 'not run' };
}

/** A transport whose specs were skipped as a whole: its server was not there. */
export const skippedTransports = (results: ConformanceResults): string[] =>
  [...results].flatMap(([kind, column]) => {
    const applicable = [...column.values()].filter(({ outcome }) => outcome !== 'not applicable');
    return applicable.every(({ outcome }) => outcome === 'not run') ? [kind] : [];
  });

/** A transport's column as it is kept in docs/results. */
export interface ConformanceColumn {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** Behaviour → the transport's own sentence. */
  readonly notApplicable: Readonly<Record<string, string>>;
}

/** Without transports that had no server, and without behaviours that did not run. */
export function columnsOf(results: ConformanceResults): Record<string, ConformanceColumn> {
  const skipped = skippedTransports(results);
  const having = (column: ReadonlyMap<string, ConformanceCell>, outcome: ConformanceOutcome): string[] =>
    [...column].filter(([, cell]) => cell.outcome === outcome).map(([behaviour]) => behaviour);
  return Object.fromEntries(
    [...results]
      .filter(([kind]) => !skipped.includes(kind))
      .map(([kind, column]) => {
        const reasons = having(column, 'not applicable').map((name) => [name, column.get(name)?.reason ?? '']);
        const notApplicable = Object.fromEntries(reasons) as Record<string, string>;
        return [kind, { passed: having(column, 'pass'), failed: having(column, 'fail'), notApplicable }];
      }),
  );
}

/** One sentence for everything that is not as the matrix says; none: all is well. Whether a skipped transport is well, the caller decides. */
export function problemsOf(matrix: ConformanceMatrix, results: ConformanceResults): string[] {
  const skipped = skippedTransports(results);
  const problems = [...results.keys()]
    .filter((kind) => !matrix.transports.includes(kind))
    .map((kind) => `${kind}: the matrix does not know this transport`);
  for (const kind of matrix.transports) {
    const column = results.get(kind);
    if (!column) problems.push(`${kind}: no conformance spec ran`);
    if (!column || skipped.includes(kind)) continue;
    for (const [behaviour, exceptions] of Object.entries(matrix.behaviours)) {
      const problem = problemOf(column.get(behaviour) ?? { outcome: 'not run' }, exceptions[kind] !== undefined);
      if (problem) problems.push(`${kind}: ${behaviour}: ${problem}`);
    }
    for (const behaviour of column.keys()) {
      if (!matrix.behaviours[behaviour])
        problems.push(`${kind}: ${behaviour}: the matrix does not know this behaviour`);
    }
  }
  return problems;
}

function problemOf({ outcome, reason }: ConformanceCell, excepted: boolean): string | undefined {
  if (outcome === 'fail') return 'failed';
  if (outcome === 'not run') return 'was not run';
  if (outcome === 'not applicable') return excepted ? undefined : `is required, but not applicable: ${reason ?? ''}`;
  return excepted ? 'holds; take the exception out of the matrix' : undefined;
}

/** Behaviours × transports, then the reasons of the dashes. */
export function formatTable(matrix: ConformanceMatrix, results: ConformanceResults): string {
  const kinds = [...new Set([...matrix.transports, ...results.keys()])];
  const found = [...results.values()].flatMap((column) => [...column.keys()]);
  const behaviours = [...new Set([...Object.keys(matrix.behaviours), ...found])];
  const width = Math.max(...behaviours.map(({ length }) => length));
  const cell = (behaviour: string, kind: string): ConformanceCell =>
    results.get(kind)?.get(behaviour) ?? { outcome: 'not run' };
  const centred = (text: string, length: number): string =>
    text.padStart(Math.ceil((length + text.length) / 2)).padEnd(length);
  const rows = behaviours.map((behaviour) => {
    const cells = kinds.map((kind) => centred(SYMBOLS[cell(behaviour, kind).outcome], kind.length));
    return [behaviour.padEnd(width), ...cells].join('  ').trimEnd();
  });
  const reasons = kinds.flatMap((kind) =>
    behaviours.flatMap((behaviour) => {
      const { reason } = cell(behaviour, kind);
      return reason === undefined ? [] : [`– ${kind}: ${behaviour}: ${reason}`];
    }),
  );
  const head = [''.padEnd(width), ...kinds].join('  ');
  return [head, ...rows, ...(reasons.length > 0 ? ['', ...reasons] : [])].join('\n');
}

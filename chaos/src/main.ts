import { asError } from '@tidings/core';
import { type ChaosOptions, chaosOptions } from './chaos.options';
import { type ChaosReport, ChaosRun, type ChaosServers } from './chaos-run';
import { verdictTable } from './verdict.table';

const out = (text: string): void => void process.stdout.write(`${text}\n`);

/** The last line, for programs. */
export type ReportLine = ReturnType<typeof reportLine>;

function reportLine({ transport, seed, seconds }: ChaosOptions, report: ChaosReport, ok: boolean) {
  const { sent, rolledBack, unknown, groups } = report.verdict;
  const sum = (figure: keyof (typeof groups)[number]): number =>
    groups.reduce((total, group) => total + Number(group[figure] ?? 0), 0);
  return {
    chaos: transport,
    seed,
    seconds,
    sent,
    rolledBack,
    unknown,
    delivered: sum('delivered'),
    duplicatesDelivered: sum('duplicatesDelivered'),
    duplicatesApplied: sum('appliedTwice'),
    appliedThoughRolledBack: sum('appliedThoughRolledBack'),
    lost: sum('lost'),
    invented: sum('invented'),
    outOfOrder: sum('outOfOrder'),
    restarts: report.restarts,
    crashes: report.crashes,
    faults: report.faults,
    excluded: report.excluded,
    ok,
  };
}

/**
 * Resolves with the exit code: 0 when nothing is wrong, 1 when something is, 2 for a bad argument, 130 after Ctrl-C. `judged` is given the last
 * line of every run that came to a verdict.
 */
export async function main(
  args: readonly string[],
  servers: ChaosServers,
  dataFolder: string,
  judged: (line: ReportLine) => void,
): Promise<number> {
  let options: ChaosOptions;
  try {
    options = chaosOptions(args);
  } catch (thrown) {
    process.stderr.write(`${asError(thrown).message}\n`);
    return 2;
  }
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  try {
    const report = await new ChaosRun(options, servers, out, interrupted.signal, dataFolder).run();
    const { verdict } = report;
    const ok = verdict.ok && report.settled && report.crashes === 0;
    out(verdictTable(verdict, report.excluded));
    const { sent, committed, rolledBack, unknown } = verdict;
    out(`${sent} sent: ${committed} committed, ${rolledBack} rolled back, ${unknown} whose answer was lost`);
    out(
      `faults: ${Object.entries(report.faults)
        .map(([kind, count]) => `${count} × ${kind}`)
        .join(', ')}; histories in ${report.folder}`,
    );
    if (report.crashes > 0) out(`✗ ${report.crashes} processes ended by an error that nobody caught; see their logs`);
    const line = reportLine(options, report, ok);
    if (options.json) out(JSON.stringify(line));
    judged(line);
    return ok ? 0 : 1;
  } catch (thrown) {
    process.stderr.write(`${asError(thrown).message}\n`);
    return interrupted.signal.aborted ? 130 : 1;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, interrupt);
  }
}

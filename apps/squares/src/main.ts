import { asError } from '@tidings/core';
import { squaresGround } from './squares.ground';
import { squaresOptions } from './squares.options';
import { type SquaresReport, SquaresRun } from './squares.run';

const out = (text: string): void => void process.stdout.write(`${text}\n`);

/** Resolves with the exit code: 0 when the sum is right and everybody left by the broadcast, else 1, and 130 after Ctrl-C. */
export async function main(args: readonly string[], addressOf: (server: string) => Promise<string>): Promise<number> {
  const options = squaresOptions(args);
  const { transport, count } = options;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  try {
    const ground = await squaresGround(transport, addressOf);
    try {
      const report = await new SquaresRun(options, ground.place, interrupted.signal).run();
      const where = transport === 'memory' ? 'in this one process, for its broker is its memory' : 'a process each';
      out(`${count} numbers by ${transport}; ${report.members} members, ${where}`);
      for (const problem of report.problems) out(`✗ ${problem}`);
      out(`sum: ${report.sum ?? 'none'}`);
      out(reportLine(transport, count, report));
      return report.problems.length === 0 ? 0 : 1;
    } finally {
      await ground.remove();
    }
  } catch (thrown) {
    process.stderr.write(`${asError(thrown).message}\n`);
    return interrupted.signal.aborted ? 130 : 1;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, interrupt);
  }
}

/** The last line, for programs. */
const reportLine = (squares: string, count: number, report: SquaresReport): string => {
  const { sum, sumOfSquares, members, left, problems } = report;
  return JSON.stringify({ squares, count, sum, sumOfSquares, members, left, ok: problems.length === 0 });
};

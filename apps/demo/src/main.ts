import 'reflect-metadata';
import { asError, systemClock, TidingsError } from '@tidings/core';
import { GiftCheck } from './check/gift-check';
import { verdictLine, verdictTable } from './check/verdict.table';
import { DemoPrinter } from './demo-printer';
import { type DemoOptions, demoOptions } from './demo.options';
import { showDemo } from './show-demo';
import { StartedParts } from './started-parts';

/** One Ctrl-C can arrive twice: from the terminal, and passed on by npm. A second within this time is the same one. */
const SAME_SIGNAL_MS = 1_000;

async function main(): Promise<void> {
  const options = demoOptions(process.argv.slice(2), process.env);
  const printer = new DemoPrinter();
  const parts = new StartedParts((line) => printer.error(line));
  const stopped = new Promise<void>((resolve) => onSignals(parts, printer, resolve));
  try {
    if (options.check === undefined)
      await Promise.race([showDemo(options, parts, printer).then(() => stopped), stopped]);
    else
      process.exitCode = await Promise.race([
        check({ ...options, check: options.check }, parts, printer),
        stopped.then(() => 130),
      ]);
  } catch (thrown) {
    const error = asError(thrown);
    printer.error(error instanceof TidingsError ? error.message : (error.stack ?? error.message));
    process.exitCode = 1;
  }
  await parts.stop();
  // Whatever a library left open must not keep the demo from ending.
  process.exit();
}

async function check(
  options: DemoOptions & { check: number },
  parts: StartedParts,
  printer: DemoPrinter,
): Promise<number> {
  const verdict = await new GiftCheck(options, parts, printer).verdict();
  await parts.stop(); // before the last line: nothing may be printed after it
  printer.line(`\n${verdictTable(verdict)}\n`);
  printer.line(verdictLine(verdict));
  return verdict.ok ? 0 : 1;
}

/** The first signal stops everything in order, a second one at once. */
function onSignals(parts: StartedParts, printer: DemoPrinter, stop: () => void): void {
  let first: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      const now = systemClock.monotonic();
      if (first === undefined) {
        first = now;
        printer.error('\nstopping … (once more to stop at once)');
        stop();
      } else if (now - first > SAME_SIGNAL_MS) {
        parts.kill();
        process.exit(130);
      }
    });
  }
}

void main();

import { asError, systemClock, timestampOf } from '@tidings/core';
import { CollectionRun, type CollectionServers } from './collection-run';
import { type LogsOptions, logsOptions } from './logs.options';
import { differences, type WindowCount } from './window-counts';

const out = (text: string): void => void process.stdout.write(`${text}\n`);
const eventsOf = (counts: readonly WindowCount[]): number => counts.reduce((sum, { events }) => sum + events, 0);

/** Resolves with the exit code: 0 when every window has what was sent, 1 when not, 2 for a bad argument. */
export async function main(args: readonly string[], servers: CollectionServers): Promise<number> {
  let options: LogsOptions;
  try {
    options = logsOptions(args);
  } catch (thrown) {
    process.stderr.write(`${asError(thrown).message}\n`);
    return 2;
  }
  try {
    const beginMs = systemClock.monotonic();
    const { sent, counted, killed, settled } = await new CollectionRun(options, servers, out).run();
    const seconds = Number(((systemClock.monotonic() - beginMs) / 1_000).toFixed(1));
    for (const { beginMs: at, action, events } of counted) out(`${timestampOf(at)}  ${action.padEnd(6)}  ${events}`); // prettier-ignore
    const wrong = differences(sent, counted);
    for (const line of wrong) out(`✗ ${line}`);
    if (!settled) out('✗ not all of it was read in time');
    const ok = settled && wrong.length === 0;
    const figures = { logs: 'kafka', sent: eventsOf(sent), counted: eventsOf(counted), windows: counted.length, killed, seconds, ok }; // prettier-ignore
    out(`${figures.sent} sent, ${figures.counted} counted in ${figures.windows} windows, ${seconds} s: ${ok ? 'all as sent' : 'WRONG'}`); // prettier-ignore
    if (options.json) out(JSON.stringify(figures));
    return ok ? 0 : 1;
  } catch (thrown) {
    process.stderr.write(`${asError(thrown).message}\n`);
    return 1;
  }
}

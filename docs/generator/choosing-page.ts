import type { Capabilities, CapabilityName } from '@tidings/core';
import { GUIDE, KEPT_BY_HAND, type KeptByHand } from './kept-by-hand';
import { GENERATED, markdownTable } from './markdown-table';
import type { BenchFigure, ChaosResult, Results } from './results';
import { SYSTEMS } from './systems';

const NAMES = Object.keys(SYSTEMS);
const title = (name: string): string => SYSTEMS[name]!.title;
const TITLES = NAMES.map(title);

const CAPABILITIES: Readonly<Record<CapabilityName, string>> = {
  durable: 'what was confirmed survives a restart of the broker',
  ordered: 'order of a key, over several consumers',
  broadcast: 'broadcast',
  delay: 'published with a delay',
  unroutable: 'says that nobody would receive it',
  attempts: 'counts the attempt that a process died in',
  replay: 'a new group may begin at the oldest message kept',
  deadLetters: 'keeps rejected messages, to be read',
  largePayload: 'payloads of 1 MiB',
  processes: 'consumers in several processes',
};

/** One digit: the next one is another machine's. */
export const roughly = (figure: number): string => {
  if (figure === 0) return '0';
  const power = 10 ** Math.floor(Math.log10(figure));
  const digit = Math.round(figure / power) * power;
  return digit >= 1 ? digit.toLocaleString('en') : String(Number(digit.toPrecision(1)));
};

const mentions = (name: string, text: string): boolean => text.includes(title(name));

/** The figures of the bench that are a system's: its title is in the name of the row, or of the contender. Ours only. */
function measuredOf(name: string, { bench }: Results): { row: string; figure: BenchFigure; limit?: BenchFigure }[] {
  return Object.values(bench).flatMap(({ row, figures }) => {
    const [first, second] = figures;
    if (first?.perSecond !== undefined)
      return mentions(name, `${row} ${first.name}`) ? [{ row, figure: first, limit: second }] : [];
    return figures.filter((figure) => figure.p50Ms !== undefined && mentions(name, figure.name) && !figure.name.startsWith('by hand')).map((figure) => ({ row, figure })); // prettier-ignore
  });
}

const NOT_MEASURED = 'not in the bench';

function throughput(name: string, results: Results): string {
  const rates = measuredOf(name, results).filter(({ figure }) => figure.perSecond !== undefined);
  const told = rates.map(({ row, figure, limit }) => `${row}: some ${roughly(figure.perSecond!)}/s${limit?.ratio === undefined ? '' : `, × ${limit.ratio} of ${limit.name}`}`); // prettier-ignore
  return told.join('; ') || NOT_MEASURED;
}

function latency(name: string, results: Results): string {
  const told = measuredOf(name, results).flatMap(({ figure }) => figure.p50Ms === undefined ? [] : [`${figure.name}: half within some ${roughly(figure.p50Ms)} ms`]); // prettier-ignore
  return told.join('; ') || NOT_MEASURED;
}

const wrong = (run: ChaosResult): number =>
  run.lost + run.duplicatesApplied + run.appliedThoughRolledBack + run.invented + run.outOfOrder;

const faultsOf = ({ faults }: ChaosResult): number => Object.values(faults).reduce((sum, count) => sum + count, 0);

function reliability(name: string, { chaos }: Results): string {
  const durable = SYSTEMS[name]!.capabilities.durable === true ? 'durable' : 'not durable by itself';
  const run = chaos[name];
  if (!run) return `${durable}; no chaos run`;
  return `${durable}; ${run.sent - run.rolledBack} messages under ${faultsOf(run)} faults: ${wrong(run)} lost, doubled or swapped`;
}

/** The matrix of the seeds: one row a question, one column a system. */
function matrix(results: Results): string {
  const byHand = (question: keyof KeptByHand): string[] => NAMES.map((name) => KEPT_BY_HAND[name]![question]);
  return markdownTable(
    ['', ...TITLES],
    [
      ['availability', ...byHand('availability')],
      ['reliability', ...NAMES.map((name) => reliability(name, results))],
      ['throughput', ...NAMES.map((name) => throughput(name, results))],
      ['latency at 200/s', ...NAMES.map((name) => latency(name, results))],
      ['cost of deployment', ...byHand('deployment')],
      ['cost of use', ...byHand('use')],
      ['cost of upkeep', ...byHand('upkeep')],
      ['licence', ...byHand('licence')],
      ['take it for', ...byHand('take')],
    ],
  );
}

function capabilityTable(): string {
  const names = Object.keys(CAPABILITIES) as CapabilityName[];
  const mark = (capabilities: Capabilities, name: CapabilityName): string => (capabilities[name] === true ? '●' : '–');
  const rows = names.map((name) => [CAPABILITIES[name], ...NAMES.map((kind) => mark(SYSTEMS[kind]!.capabilities, name))]); // prettier-ignore
  const reasons = NAMES.flatMap((kind) =>
    names.flatMap((name) => {
      const capability = SYSTEMS[kind]!.capabilities[name];
      return capability === true ? [] : [`- **${title(kind)}**, ${CAPABILITIES[name]}: ${capability}.`];
    }),
  );
  return `${markdownTable(['', ...TITLES], rows)}\n\n${reasons.join('\n')}`;
}

function chaosTable({ chaos }: Results): string {
  const head = ['', 'sent', 'delivered', 'again', 'faults', 'lost', 'doubled', 'though rolled back', 'out of order', 'holds', 'command', 'date']; // prettier-ignore
  const runs = NAMES.flatMap((name) => (chaos[name] ? [{ name, run: chaos[name] }] : []));
  const rows = runs.map(({ name, run }) => [
    title(name),
    ...[run.sent, run.delivered, run.duplicatesDelivered, faultsOf(run), run.lost, run.duplicatesApplied, run.appliedThoughRolledBack, run.outOfOrder].map(String), // prettier-ignore
    run.ok ? 'yes' : '**no**',
    `\`${run.command}\``,
    run.date,
  ]);
  const without = runs.flatMap(({ name, run }) =>
    run.excluded.map((fault) => `- **${title(name)}** without ${fault}.`),
  );
  return [markdownTable(head, rows), ...(without.length > 0 ? ['', ...without] : [])].join('\n');
}

function benchTable({ bench }: Results): string {
  const figure = ({ perSecond, p50Ms }: BenchFigure): string => {
    if (perSecond !== undefined) return `some ${roughly(perSecond)}/s`;
    return p50Ms === undefined ? '' : `half within some ${roughly(p50Ms)} ms`;
  };
  const rows = Object.values(bench).flatMap(({ row, figures, command, date }) =>
    figures
      .filter((of) => figure(of) !== '')
      .map((of, index) => [
        index === 0 ? row : '',
        of.name,
        figure(of),
        index > 0 && of.ratio !== undefined ? `× ${of.ratio}` : '',
        ...(index === 0 ? [`\`${command}\``, date] : ['', '']),
      ]),
  );
  return markdownTable(['row', 'who', 'figure', 'ours to it', 'command', 'date'], rows);
}

const guide = (): string =>
  GUIDE.map(({ need, take, because }) => `- **${need}**: ${take.map(title).join(', or ')}; ${because}.`).join('\n');

/** docs/choosing-a-transport.md: the seeds' matrix, and what each cell of it comes from. */
export const choosingPage = (results: Results): string => `${GENERATED}

# Choosing a transport

Contracts and handlers name no broker, so the choice can be changed by a route. With an outbox and an inbox all of them lose nothing, apply nothing twice and
keep a key's order; they differ in what the broker does by itself, and in what it costs. “In memory” is for tests.

## If you need … take …

${guide()}

## The matrix

Reliability is from the chaos runs, throughput and latency from the bench, both below; the rest is kept by hand in
[kept-by-hand.ts](generator/kept-by-hand.ts).

${matrix(results)}

## What each can by itself

From the \`capabilities\` of each transport with untouched settings; the suite holds them against the real servers ([conformance.md](conformance.md)). What
the database does instead is under each page of [transports](transports).

${capabilityTable()}

## Under faults

Two groups, one of them ordered by key, behind outbox and inbox; processes killed, stopped and frozen, wires cut and stalled, servers halted where one of the
run's own could be started. “Again” are copies that the broker delivered; none was applied.

${chaosTable(results)}

## Measured

One machine, one Node process, rates to one digit: they say more about the machine than about Tidings. What counts is the ratio to the smallest loop written
by hand that keeps the same guarantee, measured in turns with it; more in [performance.md](performance.md).

${benchTable(results)}
`;

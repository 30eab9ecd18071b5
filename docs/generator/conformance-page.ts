import { GENERATED, markdownTable } from './markdown-table';
import type { ConformanceResult, Results } from './results';
import { SYSTEMS } from './systems';

const mark = (column: ConformanceResult | undefined, behaviour: string): string => {
  if (column?.passed.includes(behaviour)) return '●';
  if (column?.failed.includes(behaviour)) return '✗';
  return column?.notApplicable[behaviour] === undefined ? '?' : '–';
};

/** One line for each reason, with the behaviours that it rules out. */
function reasonsOf(title: string, { notApplicable }: ConformanceResult): string[] {
  const byReason = new Map<string, string[]>();
  for (const [behaviour, reason] of Object.entries(notApplicable))
    byReason.set(reason, [...(byReason.get(reason) ?? []), behaviour]);
  return [...byReason].map(([reason, behaviours]) => `- **${title}**, ${behaviours.map((name) => `“${name}”`).join(', ')}: ${reason}.`); // prettier-ignore
}

/** docs/conformance.md: behaviours × transports. */
export function conformancePage({ behaviours, conformance }: Results): string {
  const kinds = Object.keys(SYSTEMS);
  const titles = kinds.map((kind) => SYSTEMS[kind]!.title);
  const rows = behaviours.map((behaviour) => [behaviour, ...kinds.map((kind) => mark(conformance[kind], behaviour))]);
  const reasons = kinds.flatMap((kind, index) =>
    conformance[kind] ? reasonsOf(titles[index]!, conformance[kind]) : [],
  );
  const runs = kinds.flatMap((kind, index) => {
    const column = conformance[kind];
    return column ? [[titles[index]!, String(column.passed.length), String(Object.keys(column.notApplicable).length), String(column.failed.length), `\`${column.command}\``, column.date]] : []; // prettier-ignore
  });
  return `${GENERATED}

# Conformance: what every transport was seen to do

● passed · – does not apply, for the reason below · ✗ failed · ? was not run. Each row is a test of the suite that every transport runs against its real
server (\`libs/testing/src/transport-conformance\`; \`npm run conformance\`). What must hold is [test/conformance.json](../test/conformance.json): a dash
that is not expected there fails the run. Where the rows come from: [what-suites-assert.md](what-suites-assert.md).

${markdownTable(['behaviour', ...titles], rows)}

## Why a dash

${reasons.join('\n')}

## The runs

${markdownTable(['', '●', '–', '✗', 'command', 'date'], runs)}
`;
}

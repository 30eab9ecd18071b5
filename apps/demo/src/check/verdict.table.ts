import type { CallbackFigures } from './callback-round';
import type { Verdict } from './judge';

const HEADINGS = ['', 'delivered', 'duplicates', 'applied twice', 'lost', 'out of order', 'sums'] as const;

const callbackLines = ({ callback }: Verdict): string[] => {
  if (!callback) return [];
  const { dropped, resends, falseAlarms, rolledBack, never } = callback;
  return [
    `${dropped} gifts were lost after they were confirmed, ${resends} sent again, ${falseAlarms} of them to a group that had handled its own`,
    `${rolledBack} transactions rolled back after their recheck, ${never} gifts were found never to have happened`,
    'the order is not judged: what is sent again comes after what followed it',
  ];
};

/** The verdict for a person: a row a group, then what to look at. */
export function verdictTable(verdict: Verdict): string {
  const rows = verdict.groups.map((group) => [
    group.group,
    String(group.delivered),
    String(group.duplicatesDelivered),
    String(group.duplicateApplied),
    String(group.lost),
    group.outOfOrder === null ? '–' : String(group.outOfOrder),
    group.match ? 'equal' : 'DIFFER',
  ]);
  const total = [
    'all',
    String(verdict.delivered),
    String(verdict.duplicatesDelivered),
    String(verdict.duplicateApplied),
    String(verdict.lost),
    verdict.outOfOrder === null ? '–' : String(verdict.outOfOrder),
    verdict.match ? 'equal' : 'DIFFER',
  ];
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...[...rows, total].map((row) => row[column]!.length)),
  );
  const text = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  const lines = [text(HEADINGS), rule, ...rows.map(text), rule, text(total)];
  return [...lines, ...callbackLines(verdict), ...verdict.problems.map((problem) => `✗ ${problem}`)].join('\n');
}

/** The last line, for programs. */
export function verdictLine(verdict: Verdict): string {
  const { accepted, delivered, duplicatesDelivered, duplicateApplied, lost, outOfOrder, match, poison, callback } =
    verdict;
  return JSON.stringify({
    check: 'gift',
    accepted,
    delivered,
    duplicatesDelivered,
    duplicateApplied,
    lost,
    outOfOrder,
    match,
    ...(poison && { parked: poison.parked, redriven: poison.redriven }),
    ...(callback && callbackLine(callback)),
  });
}

const callbackLine = ({ dropped, resends, unconfirmed, rolledBack, rolledBackInInbox }: CallbackFigures) => ({
  dropped,
  resends,
  unconfirmed,
  rolledBack,
  rolledBackInInbox,
});

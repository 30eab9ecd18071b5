import type { GroupVerdict, Verdict } from './judge';

const COLUMNS: readonly (readonly [string, (group: GroupVerdict) => number | null])[] = [
  ['delivered', (group) => group.delivered],
  ['again', (group) => group.duplicatesDelivered],
  ['lost', (group) => group.lost],
  ['applied twice', (group) => group.appliedTwice],
  ['though rolled back', (group) => group.appliedThoughRolledBack],
  ['invented', (group) => group.invented],
  ['out of order', (group) => group.outOfOrder],
];

/** The verdict for a person: a row a group, then which faults there were none of, then what to look at. */
export function verdictTable({ groups }: Verdict, excluded: readonly string[]): string {
  const rows = [
    ['group', ...COLUMNS.map(([title]) => title)],
    ...groups.map((group) => [group.group, ...COLUMNS.map(([, value]) => String(value(group) ?? '–'))]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
  const without = excluded.map((fault) => `without ${fault}`);
  return [...lines, ...without, ...groups.flatMap(({ problems }) => problems.map((problem) => `✗ ${problem}`))].join(
    '\n',
  );
}

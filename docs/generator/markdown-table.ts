/** A bar would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

export const markdownTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

/** Above every page that a command writes. */
export const GENERATED =
  '<!-- Written by `npm run docs:generate` from docs/results and docs/generator: change those, not this page. -->';

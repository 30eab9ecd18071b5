import { type CheckedLetterFilter, onlyOpen } from './letter-filter';
import { storable } from './storable-text';

/** What decides which index a statement walks; the planner has no statistics to choose by. The most telling one first. */
const BY_INDEX = [
  ['messageId', 'message_id', false],
  ['key', 'key', false],
  ['traceId', 'trace_id', false],
  ['failureFingerprint', 'failure_fingerprint', true],
  ['type', 'type', true],
  ['place', 'place', true],
] as const;

const PLAIN = [
  ['direction', 'direction'],
  ['place', 'place'],
  ['transport', 'transport'],
  ['topic', 'topic'],
  ['type', 'type'],
  ['key', 'key'],
  ['source', 'source'],
  ['messageId', 'message_id'],
  ['tenant', 'tenant'],
  ['traceId', 'trace_id'],
] as const;

/** The name and message of the last error, as SQL. */
export const LAST_ERROR = { name: `(failures -> -1) #>> '{errors,0,name}'` } as const;

export const OPEN = "status in ('dead', 'redriving')";

/** Along which index letters are looked for. */
export interface LetterIndex {
  /** True of all letters in the index. */
  readonly within: string;
  /** What the index begins with and the value that is looked for in it; undefined: by id alone. */
  readonly by: { readonly column: string; readonly value: string } | undefined;
}

/** `add` takes a parameter and answers its name in the statement; each must be used there. */
type Add = (value: unknown) => string;

export function indexFor(filter: CheckedLetterFilter, add: Add): LetterIndex {
  const open = onlyOpen(filter);
  const by = BY_INDEX.find(([name, , needsOpen]) => filter[name] !== undefined && (open || !needsOpen));
  return {
    within: open && (!by || by[2]) ? OPEN : 'true',
    by: by && indexOf(by[0], by[1], add(storable(filter[by[0]]!))),
  };
}

/** What each letter that is met is checked for, all of the filter, as SQL. */
export function conditionsOf(filter: CheckedLetterFilter, add: Add): string {
  const checked = [`status = any(${add(filter.status)}::text[])`];
  for (const [name, column] of PLAIN) {
    const value = filter[name];
    if (value !== undefined) checked.push(`${column} = ${add(storable(value))}`);
  }
  const { failureFingerprint, errorName, reason, text, buriedFrom, buriedBefore } = filter;
  if (failureFingerprint !== undefined) checked.push(`failure_fingerprint = decode(${add(failureFingerprint)}, 'hex')`);
  if (errorName !== undefined) checked.push(`${LAST_ERROR.name} = ${add(errorName)}`);
  if (reason !== undefined) checked.push(partOf('reason', add(reason)));
  if (text !== undefined) checked.push(inStory(add(text)));
  if (buriedFrom !== undefined) checked.push(`buried_at >= ${add(buriedFrom)}::timestamptz`);
  if (buriedBefore !== undefined) checked.push(`buried_at < ${add(buriedBefore)}::timestamptz`);
  return checked.join(' and ');
}

function indexOf(name: (typeof BY_INDEX)[number][0], column: string, value: string): LetterIndex['by'] {
  if (name === 'failureFingerprint') return { column, value: `decode(${value}, 'hex')` };
  return name === 'traceId' ? { column, value } : { column: `left(${column}, 200)`, value: `left(${value}, 200)` };
}

const partOf = (column: string, value: string): string => `strpos(lower(${column}), lower(${value}::text)) > 0`;

const inStory = (value: string): string =>
  `(${partOf('reason', value)} or exists (select from jsonb_array_elements(failures) failure,
     jsonb_array_elements(failure -> 'errors') error where ${partOf("error ->> 'message'", value)}))`;

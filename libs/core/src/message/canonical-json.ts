/**
 * JSON Canonicalization Scheme (RFC 8785): members sorted by UTF-16 code units, ECMAScript number and string form, no white space.
 * `value` is what `JSON.parse` returned, so there are no cycles, functions or undefined members to meet.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = value as Readonly<Record<string, unknown>>;
    let text = '';
    // Sorts strings by UTF-16 code units, as the RFC asks.
    for (const name of Object.keys(members).sort())
      text += `${text && ','}${JSON.stringify(name)}:${canonicalJson(members[name])}`;
    return `{${text}}`;
  }
  return JSON.stringify(value);
}

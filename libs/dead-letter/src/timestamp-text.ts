/** A timestamptz column as RFC 3339 text, whatever the session's time zone. */
export const timestampText = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

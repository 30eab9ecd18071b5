/** Injection token: from this many waiting messages on, gifts are refused. */
export const BACKLOG_LIMIT = Symbol('BACKLOG_LIMIT');

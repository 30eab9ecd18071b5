/** SQLSTATEs after which the same work may succeed when run again in a new transaction. Two digits name a whole class. */
const RETRIABLE_CODES: ReadonlySet<string> = new Set([
  '08', // connection exceptions
  '53', // insufficient resources: too many connections, out of memory, disk full
  '57', // operator intervention: shutdown, crash, "cannot connect now", a cancelled statement
  '25006', // read-only transaction: the server has become a standby, the next connection finds the new primary
  '40001', // serialisation failure
  '40P01', // dead-lock
  '55006', // object in use
  '55P03', // lock not available, lock time-out
]);

/** Codes of Node's sockets, where the server did not get to say anything. */
const SOCKET_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'TIDINGS_NOT_COMMITTED',
]);

/** pg gives these no code. */
const UNCODED =
  /^(Connection terminated|timeout expired|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error)/;

const isRetriableCode = (code: string): boolean =>
  RETRIABLE_CODES.has(code) || SOCKET_CODES.has(code) || (code.length === 5 && RETRIABLE_CODES.has(code.slice(0, 2)));

/**
 * Can the same work succeed when it runs again? Looks through causes, and through TypeORM's QueryFailedError, which copies the code. Says nothing
 * about errors that did not come from the database.
 */
export function isRetriable(error: unknown): boolean {
  // By shape: Node's own errors are no `instanceof Error` in a test runner's realm.
  for (
    let current: unknown = error, depth = 0;
    typeof current === 'object' && current !== null && depth < 10;
    depth++
  ) {
    const { code, message, cause } = current as { code?: unknown; message?: unknown; cause?: unknown };
    if (typeof code === 'string' && isRetriableCode(code)) return true;
    if (typeof message === 'string' && UNCODED.test(message)) return true;
    current = cause;
  }
  return false;
}

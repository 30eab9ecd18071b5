/**
 * The base of every error that Tidings throws. `code` is stable and may be compared; the message tells the subject, what was expected, what was
 * found and the way out. The error that caused it, if any, is `cause`.
 */
export class TidingsError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An option has a bad value. `path` names it as the user wrote it, as `transports.main.prefetch`. */
export class OptionsError extends TidingsError {
  constructor(
    readonly path: string,
    readonly problem: string,
  ) {
    super('TIDINGS_OPTIONS', `${path}: ${problem}`);
  }
}

/** A payload does not fit its contract: at publish the caller's mistake, at delivery a message that no retry can mend. */
export class ContractError extends TidingsError {
  constructor(
    readonly type: string,
    readonly version: number,
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super('TIDINGS_CONTRACT', `message ${type} v${version}: ${problem}`, options);
  }
}

/** A message has a newer contract version than this process knows: it waits (is parked) for the newer deployment. */
export class NewerVersionError extends TidingsError {
  constructor(
    readonly type: string,
    readonly version: number,
    readonly known: number,
  ) {
    super(
      'TIDINGS_NEWER_VERSION',
      `message ${type} v${version}: this process knows versions up to ${known}; deploy the consumer that knows version ${version}`,
    );
  }
}

/** A message is in a newer wire version than this process reads: it waits, byte for byte as it came, for the newer deployment. */
export class NewerWireError extends TidingsError {
  constructor(
    readonly id: string,
    readonly topic: string,
    readonly version: number,
    readonly known: number,
  ) {
    super(
      'TIDINGS_NEWER_WIRE',
      `message ${id} on ${topic}: wire version ${version}, this process reads versions up to ${known}; deploy the newer Tidings to consumers before producers`,
    );
  }
}

/** Publishing or joining was asked outside of an open transaction; the outbox's promise would not hold. */
export class NotInTransactionError extends TidingsError {
  constructor(
    found: string,
    wayOut = 'publish inside dataSource.transaction(async (manager) => …) or withTransaction(pool, async (client) => …)',
  ) {
    super(
      'TIDINGS_NOT_IN_TRANSACTION',
      `expected an EntityManager, QueryRunner or pg client inside an open transaction, found ${found}; ${wayOut}`,
    );
  }
}

/** A transaction that several messages share cannot go on after the failure of one: it is rolled back, and each of them runs again by itself. */
export class TransactionLostError extends TidingsError {
  constructor(cause: Error) {
    super(
      'TIDINGS_TRANSACTION_LOST',
      `expected to return to a savepoint, found a transaction that has ended or lost its connection: ${cause.message}`,
      { cause },
    );
  }
}

/** A transport lacks a power that was asked of it. */
export class CapabilityError extends TidingsError {
  constructor(
    readonly transport: string,
    readonly capability: string,
    way: string,
  ) {
    super('TIDINGS_CAPABILITY', `transport ${transport} has no ${capability}; ${way}`);
  }
}

/** Thrown by a handler, or wrapping what it threw: no retry can help, so the message is dead-lettered at once. */
export class NonRetriableError extends TidingsError {
  constructor(message: string, options?: ErrorOptions) {
    super('TIDINGS_NON_RETRIABLE', message, options);
  }
}

/**
 * Thrown by a handler: the message is refused for good, as an answer and not as a failure (the room is closed, the account has no cover). Where its contract is
 * `refusable` the sender is told and its `@Compensate` handler undoes what it did; else it is a dead letter, as with NonRetriableError.
 */
export class RefusedError extends NonRetriableError {}

/** A server said when to come back, as HTTP's 429 and 503 do with Retry-After. Any error with `retryAfterMs` is understood alike. */
export class RetryAfterError extends TidingsError {
  constructor(
    message: string,
    /** Milliseconds from now. A policy's `maxRetryAfterMs` limits it. */
    readonly retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super('TIDINGS_RETRY_AFTER', message, options);
  }
}

/**
 * A handler was not done in its time. It may be running still, so whatever it was lent (a transaction, its connection) must be taken from it, never be
 * given to somebody else as it is.
 */
export class TimeoutError extends TidingsError {
  constructor(
    /** As `RankGiftHandler.rank`. */
    readonly handler: string,
    readonly timeoutMs: number,
  ) {
    super(
      'TIDINGS_TIMEOUT',
      `${handler}: expected to be done within ${timeoutMs} ms, found it still running; its transaction is rolled back. Pass context.signal on to what it waits for, or raise timeoutMs`,
    );
  }
}

/** Whatever was thrown, as an Error: somebody may throw a string, or what cannot even be printed. Never throws. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error
    ? thrown
    : new TidingsError('TIDINGS_THROWN', `a non-error was thrown: ${textOf(thrown)}`, { cause: thrown });

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

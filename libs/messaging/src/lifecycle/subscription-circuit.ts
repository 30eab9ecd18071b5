import { type ActiveSubscription, type Clock, type MessageContext, type Middleware, retry, type Settlement, type TidingsLogger } from '@tidings/core'; // prettier-ignore
import { circuitBreaker, type CircuitBreakerPolicy, CircuitState, ConsecutiveBreaker, CountBreaker, handleType } from 'cockatiel'; // prettier-ignore

/** When a subscription stops taking messages because its handlers fail, one after the other, with errors that a retry might mend. */
export interface CircuitOptions {
  /** Failed attempts in a row. Default 10, unless `ratio` is given. */
  readonly failures?: number;
  /** Or: the share of failed attempts among the last `of`, between 0 and 1. */
  readonly ratio?: number;
  /** Default 20. */
  readonly of?: number;
  /** How long nothing is taken before one message probes whether it works again. Default 30,000. */
  readonly openMs?: number;
}

/** Carries a failed settlement through the policy. Never leaves this file. */
class FailedAttempt extends Error {
  constructor(readonly settlement: Settlement) {
    super('the attempt failed');
  }
}

/**
 * A circuit breaker around a subscription of this process: closed → open (nothing begins) → half-open (one probe) → closed, or open again. What is in
 * hand or taken ahead while it is open waits unsettled in the lanes, and what fails then, the probe included, is retried uncounted: an outage burns no
 * attempts and buries nothing. Each process has a circuit of its own.
 */
export class SubscriptionCircuit {
  readonly #policy: CircuitBreakerPolicy;
  readonly #openMs: number;
  readonly #stopped = new AbortController();
  #probing = false;
  /** The next that begins is the probe. */
  #due = false;

  constructor(
    { failures = 10, ratio, of = 20, openMs = 30_000 }: CircuitOptions,
    private readonly consumer: Pick<ActiveSubscription, 'pause' | 'resume' | 'admitOne'>,
    private readonly clock: Clock,
    private readonly logger: TidingsLogger,
    private readonly name: string,
  ) {
    this.#openMs = openMs;
    this.#policy = circuitBreaker(
      handleType(FailedAttempt),
      // The pause keeps the time, and lets one probe in.
      {
        halfOpenAfter: 0,
        breaker:
          ratio === undefined ? new ConsecutiveBreaker(failures) : new CountBreaker({ threshold: ratio, size: of }),
      },
    );
    this.#policy.onBreak(() => this.#open());
    this.#policy.onReset(() => this.#close());
  }

  get open(): boolean {
    return this.#policy.state !== CircuitState.Closed;
  }

  /** Belongs around the retry, inside of the dead letter. */
  readonly middleware: Middleware = async (context, next) => {
    if (this.open && !this.#due) return retry(this.#openMs, { counted: false }); // it came past the pause
    this.#due = false;
    try {
      return await this.#policy.execute(async () => {
        const settlement = await next();
        if (!isFailure(context, settlement)) return settlement;
        throw new FailedAttempt(this.open ? this.#uncounted(settlement) : settlement);
      });
    } catch (thrown) {
      if (thrown instanceof FailedAttempt) return thrown.settlement;
      throw thrown;
    }
  };

  stop(): void {
    this.#stopped.abort();
  }

  #uncounted(settlement: Settlement): Settlement {
    const { error } = settlement as { error?: Error };
    return retry(this.#openMs, { counted: false, ...(error && { error }) });
  }

  #open(): void {
    this.consumer.pause();
    this.logger.error({ subscription: this.name, openMs: this.#openMs }, 'its handlers keep failing: paused');
    if (!this.#probing) void this.#probe();
  }

  /** Until it closes: the message that was admitted may never have reached the handler, or none may have come. */
  async #probe(): Promise<void> {
    this.#probing = true;
    while (this.open && !this.#stopped.signal.aborted) {
      await this.clock.wait(this.#openMs, this.#stopped.signal);
      if (!this.open || this.#stopped.signal.aborted || this.#policy.state === CircuitState.HalfOpen) continue;
      this.#due = true;
      this.consumer.admitOne();
    }
    this.#probing = false;
  }

  #close(): void {
    this.logger.info({ subscription: this.name }, 'its handlers work again: resumed');
    this.consumer.resume();
  }
}

/** What is the message's own fault (a payload that does not fit, a conflict) says nothing about the others. */
function isFailure({ handler }: MessageContext, settlement: Settlement): boolean {
  if (settlement.kind !== 'reject' && !(settlement.kind === 'retry' && settlement.counted)) return false;
  return settlement.error !== undefined && handler.retry.retriable(settlement.error);
}

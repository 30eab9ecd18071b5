import { OptionsError } from '../errors';
import type { Clock } from '../scheduling/clock';

/** How fast deliveries may begin. */
export interface Pace {
  /**
   * True: so many may begin now, and are counted. A promise: none may; ask again when it has resolved, which it does early when `signal` aborts. It never
   * rejects.
   */
  take(count: number, signal: AbortSignal): true | Promise<void>;
}

export interface RateLimit {
  /** Deliveries that may begin in a second, on average; more than 0, and fractions count: 0.1 is one in ten seconds. */
  readonly perSecond: number;
  /** Deliveries that may begin at once after a pause. Default `perSecond`, and 1 at least. */
  readonly burst?: number;
}

/** @throws OptionsError that names the bad option below `subject`. */
export function checkRateLimit(
  subject: string,
  { perSecond, burst = Math.max(1, perSecond) }: RateLimit,
): Required<RateLimit> {
  if (!Number.isFinite(perSecond) || perSecond <= 0)
    throw new OptionsError(`${subject}.perSecond`, `must be a number above 0, found ${perSecond}`);
  if (!Number.isFinite(burst) || burst < 1)
    throw new OptionsError(`${subject}.burst`, `must be 1 or more, found ${burst}`);
  return { perSecond, burst };
}

/**
 * A token bucket: it fills by `perSecond` up to `burst`, and whoever begins takes a token for each message. A batch larger than what is in it goes all
 * the same and leaves a debt that is waited for: else one larger than the bucket would never begin.
 */
export class TokenBucket implements Pace {
  readonly #limit: Required<RateLimit>;
  #tokens: number;
  #filledAt: number;

  /** @throws OptionsError for a limit that cannot be meant. */
  constructor(
    limit: RateLimit,
    private readonly clock: Clock,
  ) {
    this.#limit = checkRateLimit('rateLimit', limit);
    this.#tokens = this.#limit.burst;
    this.#filledAt = clock.monotonic();
  }

  take(count: number, signal: AbortSignal): true | Promise<void> {
    const { perSecond, burst } = this.#limit;
    const now = this.clock.monotonic();
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1_000) * perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1 - 1e-9) return this.clock.wait(((1 - this.#tokens) / perSecond) * 1_000, signal);
    this.#tokens -= count;
    return true;
  }
}

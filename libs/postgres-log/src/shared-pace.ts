import {
  asError,
  checkRateLimit,
  type Clock,
  type Pace,
  type RateLimit,
  type Store,
  type TidingsLogger,
} from '@tidings/core';
import { takeRateTokens } from './sql/take-rate-tokens';

/** What one statement takes ahead, as a share of a second: ten statements a second at most in each process, however high the rate. */
const SHARE_OF_A_SECOND = 0.1;
/** Tokens that were taken and not used are given up then: saved up here they would be a burst beside the bucket's. */
const KEPT_MS = 1_000;
/** Before it asks again a store that could not be reached. */
const STORE_AWAY_MS = 1_000;

/**
 * A token bucket that all processes of a store share. Each takes tokens of a tenth of a second in one statement and waits until they are there, so that
 * nobody asks twice for the same; a process that has nothing to begin asks nothing. In any time more than `burst` and the rate begins by what processes
 * took within the second before, at most. While the store cannot be reached nothing begins.
 */
export class SharedPace implements Pace {
  readonly #limit: Required<RateLimit>;
  readonly #ahead: number;
  /** Less than 0: what a batch took more than there was. */
  #tokens = 0;
  #takenAt = -Infinity;

  /** @throws OptionsError for a limit that cannot be meant. */
  constructor(
    private readonly store: Store,
    /** Whoever names the same bucket shares it. */
    private readonly name: string,
    limit: RateLimit,
    private readonly clock: Clock,
    private readonly logger: TidingsLogger,
  ) {
    this.#limit = checkRateLimit('rateLimit', limit);
    const { perSecond, burst } = this.#limit;
    this.#ahead = Math.max(1, Math.floor(Math.min(burst, perSecond * SHARE_OF_A_SECOND)));
  }

  take(count: number, signal: AbortSignal): true | Promise<void> {
    if (this.#tokens > 0 && this.clock.monotonic() - this.#takenAt > KEPT_MS) this.#tokens = 0;
    if (this.#tokens < 1) return this.#fetch(this.#ahead - this.#tokens, signal);
    this.#tokens -= count;
    return true;
  }

  async #fetch(count: number, signal: AbortSignal): Promise<void> {
    try {
      const waitMs = await takeRateTokens(this.store, this.name, this.#limit, count);
      if (waitMs > 0) await this.clock.wait(waitMs, signal);
      this.#tokens += count;
      this.#takenAt = this.clock.monotonic();
    } catch (thrown) {
      this.logger.warn(
        { rate: this.name, err: asError(thrown) },
        'no tokens of a rate limit could be taken; nothing begins',
      );
      await this.clock.wait(STORE_AWAY_MS, signal);
    }
  }
}

import { type FailureRecord, timestampOf } from '@tidings/core';
import { textOf } from './rabbitmq-mapping';

/** One entry of `x-death`: a queue that gave the message up, and how often ("Dead Letter Exchanges"). */
export interface BrokerDeath {
  /** `expired`, `maxlen`, `rejected` or `delivery_limit`. */
  readonly reason: string;
  readonly queue: string;
  readonly count: number;
  /** Of the first time, RFC 3339; empty where the broker tells none. */
  readonly at: string;
}

/** A delay is time-to-live and dead-lettering: no failure, see delay-queues.ts. */
const DELAY = /\/delay\/\d+$/;

/** The newest first, as the broker has it; a foreign sender may have put anything there. */
export function deathsOf(header: unknown): readonly BrokerDeath[] {
  if (!Array.isArray(header)) return [];
  return header.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { reason, queue, count, time } = entry as Record<string, unknown>;
    const death = { reason: textOf(reason), queue: textOf(queue), count: Number(count ?? 1), at: instantOf(time) };
    return DELAY.test(death.queue) ? [] : [death];
  });
}

const instantOf = (time: unknown): string => {
  const seconds = typeof time === 'object' && time !== null && 'value' in time ? Number(time.value) : NaN;
  return Number.isFinite(seconds) ? timestampOf(seconds * 1_000) : '';
};

export const reasonOfDeaths = ([last]: readonly BrokerDeath[]): string =>
  last ? `rabbitmq: ${last.reason} in ${last.queue}` : '';

/** Oldest first, as a dead letter tells its story. The attempt is the count: nobody else knows how often. */
export const failuresOfDeaths = (deaths: readonly BrokerDeath[]): FailureRecord[] =>
  [...deaths].reverse().map(({ reason, queue, count, at }) => ({
    attempt: count,
    at,
    instance: `rabbitmq queue ${queue}`,
    errors: [{ name: `rabbitmq.${reason}`, message: `${reason} in ${queue}, ${count} time(s)` }],
  }));

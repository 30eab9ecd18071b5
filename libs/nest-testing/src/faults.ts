import type { MessageContext, MessageContract } from '@tidings/core';
import { TidingsError } from '@tidings/core';

/**
 * Where an attempt is cut off.
 * - `before-handler`: the handler does not run.
 * - `before-commit`: it ran, and what it did is rolled back.
 * - `before-acknowledgement`: it is committed, and the broker does not hear of it: the message comes again.
 */
export type FaultPlace = 'before-handler' | 'before-commit' | 'before-acknowledgement';

export interface FaultOptions {
  /** Default `before-handler`. */
  readonly at?: FaultPlace;
  /** Default: of whichever group is first. */
  readonly group?: string;
  /** Attempts in a row that are cut off. Default 1. */
  readonly times?: number;
  /** What the first two places throw. Default a TidingsError, which a retry policy may retry. */
  readonly error?: Error;
}

interface Fault extends FaultOptions {
  readonly type: string;
  left: number;
}

/** Faults that wait for their attempt. */
export class Faults {
  readonly #waiting: Fault[] = [];

  add({ type }: MessageContract<unknown, never>, options: FaultOptions): void {
    this.#waiting.push({ ...options, type, left: options.times ?? 1 });
  }

  /** The fault that is meant for this attempt at this place, and used up by it. */
  take(place: FaultPlace, { message, handler }: MessageContext): Fault | undefined {
    const { group } = handler.subscription;
    const index = this.#waiting.findIndex(
      (fault) =>
        (fault.at ?? 'before-handler') === place &&
        fault.type === message.type &&
        (fault.group === undefined || fault.group === group),
    );
    const fault = this.#waiting[index];
    if (fault && --fault.left <= 0) this.#waiting.splice(index, 1);
    return fault;
  }

  /** @throws the fault's error, when there is one. */
  strike(place: FaultPlace, context: MessageContext): void {
    const fault = this.take(place, context);
    if (!fault) return;
    throw fault.error ?? new TidingsError('TIDINGS_TEST_FAULT', `harness.failNext: cut off ${place}`);
  }
}

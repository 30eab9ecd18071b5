import { asError, type Clock, PeriodicTask, type Store, type TidingsLogger } from '@tidings/core';
import { laneId } from './held-lane';
import { deleteDepartedMembers } from './sql/delete-departed-members';
import { look, type Look } from './sql/look';
import type { ReaderAnswer, ReaderQuestion, WatchedReader, WatchedUpkeep } from './watched';

/** After a look that failed. */
const AGAIN_MS = 1_000;
/** When nobody wants one earlier. */
const IDLE_MS = 60_000;

/** A place at the watch. */
export interface Seat {
  /** Looks now, or once more when a look is under way. Rejects when it fails, or when this reader could not do what it asks for. */
  look(): Promise<void>;
  wake(): void;
  /** Resolves when no look of this reader's is under way any more. Safe twice. */
  leave(): Promise<void>;
}

/**
 * The one who looks at a log from time to time, for everyone in this process who reads it: leases and membership of all readers, what signals
 * missed, what is due, whether a segment is full. One statement a look, so that an idle process costs its database next to nothing however many
 * subscriptions and destinations it has. The most impatient reader sets the pace.
 *
 * It runs while anybody has a seat.
 */
export class LogWatch {
  readonly #readers = new Map<WatchedReader, Error | undefined>();
  readonly #task: PeriodicTask;
  #upkeep: WatchedUpkeep | undefined;
  #inTurn = false;
  /** What the last turn decided to wait. */
  #waitMs = IDLE_MS;
  #latest: Promise<number> = Promise.resolve(IDLE_MS);
  #queued: Promise<number> | undefined;

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly logger: TidingsLogger,
  ) {
    this.#task = new PeriodicTask({
      name: 'look at the log',
      everyMs: IDLE_MS,
      runOnce: (signal) => this.#run(signal),
      clock,
      logger,
    });
  }

  join(reader: WatchedReader): Seat {
    this.#readers.set(reader, undefined);
    this.#task.start();
    return {
      look: async () => {
        const nextMs = await this.#look();
        const error = this.#readers.get(reader);
        if (error) throw error;
        if (!this.#inTurn && nextMs < this.#waitMs) this.#task.wake(); // a new reader may be less patient than the others
      },
      wake: () => this.#task.wake(),
      leave: async () => {
        this.#readers.delete(reader);
        await this.#latest.catch(() => undefined);
        await this.#rest();
      },
    };
  }

  /** One a log. */
  async tend(upkeep: WatchedUpkeep | undefined): Promise<void> {
    this.#upkeep = upkeep;
    if (!upkeep) return this.#rest();
    this.#task.start();
    this.#task.wake();
  }

  async #rest(): Promise<void> {
    if (this.#readers.size === 0 && !this.#upkeep) await this.#task.stop();
  }

  async #run(signal: AbortSignal): Promise<{ again: boolean; nextMs?: number }> {
    try {
      this.#inTurn = true;
      this.#waitMs = (await this.#look()) * (1 + Math.random() * 0.05); // later, never earlier: instances drift apart
      return { again: false, nextMs: this.#waitMs };
    } catch (thrown) {
      this.logger.warn(
        { schema: this.store.schema, err: asError(thrown) },
        'the log could not be looked at; will look again',
      );
      await this.clock.wait(AGAIN_MS, signal);
      return { again: true };
    } finally {
      this.#inTurn = false;
    }
  }

  /** One at a time. Whoever asks while one is under way waits for the next: it may have asked too late for that one. */
  #look(): Promise<number> {
    if (this.#queued) return this.#queued;
    const queued = this.#latest
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        return this.#lookOnce();
      });
    this.#queued = queued;
    this.#latest = queued;
    return queued;
  }

  /** Resolves with the time until the next. */
  async #lookOnce(): Promise<number> {
    const asked = this.clock.monotonic();
    const questions = new Map([...this.#readers.keys()].map((reader) => [reader, reader.question()]));
    const upkeep = this.#upkeep;
    const seen = await this.#ask([...questions.values()], upkeep).catch((thrown: unknown) => {
      for (const reader of questions.keys()) reader.failed(asError(thrown));
      throw thrown;
    });
    upkeep?.answered(seen);
    const answers = answersOf(seen, [...questions.values()], asked);
    const next = await Promise.all(
      [...questions.keys()].map(async (reader, index) => {
        try {
          const nextMs = await reader.answered(answers[index]!);
          if (this.#readers.has(reader)) this.#readers.set(reader, undefined);
          return nextMs;
        } catch (thrown) {
          const error = asError(thrown);
          if (this.#readers.has(reader)) this.#readers.set(reader, error);
          reader.failed(error);
          this.logger.warn(
            { schema: this.store.schema, err: error },
            'a reader of the log could not do what it must; will look again',
          );
          return AGAIN_MS;
        }
      }),
    );
    if (seen.departed) await deleteDepartedMembers(this.store);
    return Math.min(IDLE_MS, ...next, upkeep?.pollMs ?? IDLE_MS);
  }

  #ask(questions: readonly ReaderQuestion[], upkeep: WatchedUpkeep | undefined): Promise<Look> {
    return look(this.store, {
      members: questions.flatMap(({ member }) => member ?? []),
      renew: questions.flatMap(({ renew, leaseMs }) =>
        renew.map(({ reader, lane, epoch, incarnation }) => ({ reader, lane, epoch, incarnation, leaseMs })),
      ),
      idle: questions.flatMap(({ idle }) =>
        idle.map(({ reader, destination, lane, at, incarnation }) => ({
          reader,
          destination,
          lane,
          snap: at.snap,
          incarnation,
        })),
      ),
      readers: questions.flatMap(({ readers }) => readers),
      transports: questions.flatMap(({ transport }) => transport ?? []),
      rotation: upkeep?.rotation(),
    });
  }
}

function answersOf(seen: Look, questions: readonly ReaderQuestion[], asked: number): ReaderAnswer[] {
  const kept = new Map(seen.kept.map(([reader, lane, tid]) => [laneId(reader, lane), tid]));
  const news = new Set(seen.news.map(([reader, lane]) => laneId(reader, lane)));
  let member = 0;
  let transport = 0;
  return questions.map((question): ReaderAnswer => {
    const at = question.member ? member++ : -1;
    return {
      asked,
      target: seen.target,
      kept,
      news,
      free: question.readers.some((reader) => seen.free.includes(reader)),
      gone: question.readers.some((reader) => seen.gone.includes(reader)),
      members: seen.members[at] ?? 1,
      nextMs: seen.nextMs[at] ?? null,
      destinations: question.transport === undefined ? undefined : seen.destinations[transport++],
      controls: seen.controls,
    };
  });
}

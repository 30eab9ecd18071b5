import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { asError, type Clock, type Closeable, type TidingsLogger } from '@tidings/core';
import { CursorMover } from './cursor-mover';
import { type HeldLane, laneId } from './held-lane';
import type { Deliver } from './lane-batch';
import { LaneDrain } from './lane-drain';
import { LaneLeases } from './lane-leases';
import type { ResolvedLogReaderOptions } from './log-reader.options';
import type { LogSignal } from './log-signals';
import type { MessageLog } from './message-log';
import { closeWindow, isOpen, type Position } from './position';
import { readSmallWindows } from './sql/read-small-windows';
import { LogReaderGoneError } from './log-reader-gone.error';
import type { Seat } from './log-watch';
import type { ReaderAnswer, ReaderQuestion, WatchedReader } from './watched';

export interface LogReaderSetup {
  readonly log: MessageLog;
  /** Processes that read under one name share the lanes. */
  readonly name: string;
  readonly options: ResolvedLogReaderOptions;
  readonly deliver: Deliver;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  /** Where new destinations come from, if it reads all of a transport's: `refresh` is called when there may be some, and finds them (`add`). */
  readonly destinations?: { readonly transport: string; readonly refresh: () => Promise<void> };
  /**
   * Called at each look that finds one of its readers no longer registered: nothing will come by it. Whoever is called registers it anew and reads by
   * another LogReader; until then this one is `failing`. Default: it is no failure.
   */
  readonly onGone?: () => void;
}

/** Lanes read by one statement. The first of a backlog are handed on while the next are read. */
const SWEPT_AT_ONCE = 16;

/**
 * Reads the log for one name: holds lanes, finds what is new, hands it on batch by batch and moves the cursors.
 *
 * A lane is *idle* (nothing known to be there) → *swept*, together with all other idle lanes that had a signal, by one statement → *busy* while its
 * batch is handed on → idle; or *draining*, page by page, when its window holds more than a batch; or *lost* when another process took it over:
 * then it is dropped at once, and what is under way for it moves nothing. One sweep runs at a time; signals that come meanwhile go into the next.
 */
export class LogReader implements WatchedReader {
  readonly #owner = randomUUID();
  readonly #leases: LaneLeases;
  readonly #drain: LaneDrain;
  #stopping = stoppable();
  #sweeping: Promise<void> | undefined;
  #listening: Closeable | undefined;
  #started: Promise<void> | undefined;
  #failing: Error | undefined;
  #gone: Error | undefined;
  #seat: Seat | undefined;
  #asked: { readonly question: ReaderQuestion; readonly at: readonly Position[] } | undefined;
  #polledAt = -Infinity;
  #destinations: number | undefined;
  readonly #seen = new Set<number>();

  constructor(private readonly setup: LogReaderSetup) {
    const { log, name, options, clock, logger } = setup;
    const store = log.store;
    this.#leases = new LaneLeases({
      store,
      name,
      owner: this.#owner,
      leaseMs: options.leaseMs,
      clock,
      logger,
      onAcquired: (lanes) => this.#acquired(lanes),
      onReleased: () => log.signals.membersChanged(name),
    });
    const mover = new CursorMover(store, options.leaseMs, clock);
    this.#drain = new LaneDrain(store, setup, this.#leases, mover, () => this.#stopping.signal);
  }

  /** Reads this destination too; its lanes are taken at the next look. */
  add(reader: number, destination: number): void {
    this.#leases.add(reader, destination);
    this.#seat?.wake();
  }

  get lanes(): number {
    return this.#leases.held.size;
  }

  /** Undefined, or why nothing can be read. */
  get failing(): Error | undefined {
    return this.#gone ?? this.#failing;
  }

  /** Safe twice. Rejects when the store cannot be reached. */
  start(): Promise<void> {
    this.#started ??= this.#start().catch(async (error: unknown) => {
      this.#started = undefined;
      await this.#seat?.leave();
      await this.#listening?.close();
      await this.#leases.leave();
      throw error;
    });
    return this.#started;
  }

  /** Stops taking, waits until what is under way is handed on or given back, moves the cursors, hands the lanes back. Safe twice. */
  async stop(): Promise<void> {
    const started = this.#started;
    if (!started) return;
    this.#started = undefined;
    await started.catch(() => undefined);
    this.#stopping.abort();
    await this.#sweeping;
    // It keeps its seat while the last batches end: a slow handler must not lose its lane in the drain.
    await Promise.all([...this.#leases.held.values()].map((lane) => lane.busy ?? Promise.resolve()));
    await this.#seat?.leave();
    await this.#listening?.close();
    await this.#leases.leave();
  }

  async #start(): Promise<void> {
    const { log, name } = this.setup;
    this.#stopping = stoppable();
    this.#polledAt = -Infinity;
    this.#destinations = undefined;
    this.#listening = await log.signals.listen((signal) => this.#signalled(signal));
    this.#seat = log.watch.join(this);
    await this.#seat.look();
    log.signals.membersChanged(name); // the others may hold more than their share now
  }

  question(): ReaderQuestion {
    const { name, options, clock, destinations } = this.setup;
    const stopping = this.#stopping.signal.aborted;
    // Half a period early is early enough: so readers that started at different times soon poll by the same looks.
    const polling = !stopping && clock.monotonic() - this.#polledAt >= options.pollMs / 2;
    const question: ReaderQuestion = {
      member: stopping ? undefined : { name, owner: this.#owner, leaseMs: options.leaseMs },
      leaseMs: options.leaseMs,
      renew: this.#leases.due(),
      idle: polling ? [...this.#leases.held.values()].filter((lane) => !lane.busy && !isOpen(lane.at)) : [],
      readers: stopping ? [] : this.#leases.readers,
      transport: stopping ? undefined : destinations?.transport,
    };
    if (polling) this.#polledAt = clock.monotonic();
    this.#asked = { question, at: question.idle.map((lane) => lane.at) };
    return question;
  }

  async answered(answer: ReaderAnswer): Promise<number> {
    const { options, clock, destinations } = this.setup;
    const { question, at } = this.#asked!;
    this.#leases.renewed(question.renew, answer.kept, answer.asked);
    if (!question.member) return options.leaseMs / 3;
    question.idle.forEach((lane, index) => {
      if (answer.news.has(laneId(lane.reader, lane.lane))) lane.dirty = true;
      // Nothing there: the next sweep may begin here. Only in memory; the stored snap says the same, less exactly.
      else if (lane.at === at[index] && !lane.busy) lane.at = closeWindow(lane.at, answer.target, 0);
    });
    if (answer.gone && this.setup.onGone) this.#isGone(this.setup.onGone);
    void this.#sweep();
    if (destinations && answer.destinations !== this.#destinations) {
      await destinations.refresh();
      this.#destinations = answer.destinations;
    }
    const nextMs = this.#stopping.signal.aborted ? options.leaseMs / 3 : await this.#leases.share(answer);
    return Math.max(0, Math.min(nextMs, this.#polledAt + options.pollMs - clock.monotonic()));
  }

  failed(error: Error): void {
    this.#failing = error;
    this.#polledAt = -Infinity;
  }

  #isGone(onGone: () => void): void {
    const { name, logger } = this.setup;
    this.#gone ??= new LogReaderGoneError(name);
    logger.warn({ reader: name, err: this.#gone }, 'a reader of the log was removed; it is registered anew');
    onGone();
  }

  #acquired(lanes: readonly HeldLane[]): void {
    for (const lane of lanes) lane.dirty = true;
    void this.#sweep();
  }

  #signalled(signal: LogSignal): void {
    if (signal.kind === 'members') {
      if (signal.name === this.setup.name) this.#seat?.wake();
      return;
    }
    if (signal.kind === 'lost') {
      this.#polledAt = -Infinity;
      this.#seat?.wake();
      return;
    }
    if (this.setup.destinations && !this.#seen.has(signal.destination!)) {
      this.#seen.add(signal.destination!); // perhaps a new destination of ours
      this.#seat?.wake();
    }
    let any = false;
    for (const lane of this.#leases.held.values()) {
      if (lane.destination !== signal.destination || !(signal.lanes! & (1n << BigInt(lane.lane)))) continue;
      lane.dirty = true;
      any ||= !lane.busy;
    }
    if (any) void this.#sweep();
  }

  /** One at a time; whoever asks while one runs waits for it, and its loop sees what that one marked. */
  #sweep(): Promise<void> {
    this.#sweeping ??= this.#sweepAll().then((again) => {
      this.#sweeping = undefined;
      if (again && this.#waitingLanes().length > 0) void this.#sweep(); // marked after the loop's last look
    });
    return this.#sweeping;
  }

  /** False when the database is away: nothing moved, the poll looks again. Never rejects. */
  async #sweepAll(): Promise<boolean> {
    try {
      for (;;) {
        const waiting = this.#waitingLanes();
        // A lane that failed inside its window goes on there: a sweep would look past its snap and meet again what was delivered.
        for (const lane of waiting) if (isOpen(lane.at)) this.#occupy(lane, () => this.#drain.rest(lane));
        const idle = waiting.filter((lane) => !isOpen(lane.at));
        if (idle.length === 0) break;
        for (let from = 0; from < idle.length && !this.#stopping.signal.aborted; from += SWEPT_AT_ONCE)
          await this.#sweepOnce(idle.slice(from, from + SWEPT_AT_ONCE));
      }
      this.#failing = undefined;
      return true;
    } catch (thrown) {
      this.#failing = asError(thrown);
      this.setup.logger.warn(
        { reader: this.setup.name, err: this.#failing },
        'the log could not be read; will look again',
      );
      return false;
    }
  }

  #waitingLanes(): HeldLane[] {
    if (this.#stopping.signal.aborted) return [];
    return [...this.#leases.held.values()].filter((lane) => lane.dirty && !lane.busy && !lane.leaving);
  }

  async #sweepOnce(idle: readonly HeldLane[]): Promise<void> {
    for (const lane of idle) lane.dirty = false;
    const asked = idle.map((lane) => ({
      reader: lane.reader,
      destination: lane.destination,
      lane: lane.lane,
      snap: lane.at.snap,
      incarnation: lane.incarnation,
    }));
    const { target, rows } = await readSmallWindows(this.setup.log.store, asked, this.setup.options).catch(
      (error: unknown) => {
        for (const lane of idle) lane.dirty = true;
        throw error;
      },
    );
    const windows = new Map<string, (typeof rows)[number][]>();
    for (const row of rows) {
      const id = laneId(row.reader, row.lane);
      const window = windows.get(id);
      if (window) window.push(row);
      else windows.set(id, [row]);
    }
    for (const lane of idle) {
      const window = windows.get(laneId(lane.reader, lane.lane));
      if (!this.#leases.owns(lane) || lane.busy) continue;
      // Nothing there: the next sweep may begin here. Only in memory; the stored snap says the same, less exactly.
      if (!window) lane.at = closeWindow(lane.at, target, 0);
      else if (window[0]!.large) this.#occupy(lane, () => this.#drain.largeWindow(lane));
      else this.#occupy(lane, () => this.#drain.smallWindow(lane, window, target));
    }
  }

  /** Keeps a lane out of the sweeps while `work` runs. A failed one comes again after its back-off. */
  #occupy(lane: HeldLane, work: () => Promise<void>): void {
    lane.busy = work()
      .catch((thrown: unknown) => {
        this.setup.logger.warn(
          { reader: this.setup.name, lane: lane.lane, err: asError(thrown) },
          'a lane failed; it will be tried again',
        );
        lane.dirty = true;
        return this.setup.clock.wait(this.setup.options.maxBackoffMs, this.#stopping.signal);
      })
      .then(() => {
        lane.busy = undefined;
        if (this.#stopping.signal.aborted) return;
        if (lane.leaving) void this.#leases.release([lane]).catch(() => this.#seat?.wake());
        else if (lane.dirty) void this.#sweep();
      });
  }
}

/** Each lane that backs off listens, at most once; Node takes an eleventh listener for a leak. */
function stoppable(): AbortController {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  return stopping;
}

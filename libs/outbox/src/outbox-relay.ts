import {
  type Clock,
  type Closeable,
  type DeadLetterSink,
  type DestinationParking,
  parseOptions,
  type TidingsLogger,
  type Transport,
} from '@tidings/core';
import { listDestinations, LogReader, type MessageLog, readsLog, RELAY } from '@tidings/postgres-log';
import { type OutboxRelayOptions, outboxRelayOptions, type ResolvedOutboxRelayOptions } from './outbox-relay.options';
import { ParkedLanes } from './parked-lanes';
import { RelayedBatch } from './relayed-batch';

export interface OutboxRelaySetup {
  readonly log: MessageLog;
  readonly transports: Readonly<Record<string, Transport>>;
  readonly deadLetters: DeadLetterSink;
  /** Where keys wait behind what cannot be published. Default: nowhere, they go on without it. */
  readonly parking?: DestinationParking;
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: TidingsLogger;
  readonly options?: OutboxRelayOptions;
}

/**
 * Publishes what transactions committed to the log. One reader a transport, so that a broker's outage stalls nobody else; any number of processes
 * may run it and share the lanes. A transport that reads this very log needs no relay and gets none.
 */
export class OutboxRelay {
  readonly #readers: LogReader[];
  readonly #options: ResolvedOutboxRelayOptions;
  #upkeep: Promise<Closeable> | undefined;

  /** @throws OptionsError for a bad option. */
  constructor(private readonly setup: OutboxRelaySetup) {
    const { log, transports } = setup;
    this.#options = parseOptions('relay', outboxRelayOptions, setup.options ?? {});
    this.#readers = Object.entries(transports)
      .filter(([, transport]) => !(readsLog(transport) && transport.logNamespace(log.store) !== undefined))
      .map(([name, transport]) => this.#readerFor(name, transport));
  }

  /** Safe twice. Rejects when the store cannot be reached; brokers may be away. */
  async start(): Promise<void> {
    this.#upkeep ??= this.setup.log.upkeep.join(this.#options);
    await this.#upkeep;
    await Promise.all(this.#readers.map((reader) => reader.start()));
  }

  /** Takes no more, waits for the confirms under way, moves the cursors, hands the lanes back. Safe twice. */
  async stop(): Promise<void> {
    const upkeep = this.#upkeep;
    this.#upkeep = undefined;
    await Promise.all([upkeep?.then((joined) => joined.close()), ...this.#readers.map((reader) => reader.stop())]);
  }

  /** Lanes held, over all transports; 0 right after the start of a second relay, until they are shared out. */
  get lanes(): number {
    return this.#readers.reduce((sum, reader) => sum + reader.lanes, 0);
  }

  /** Undefined, or why the log cannot be read. */
  get failing(): Error | undefined {
    return this.#readers.find((reader) => reader.failing)?.failing;
  }

  #readerFor(name: string, transport: Transport): LogReader {
    const { log, clock, logger, deadLetters, instance } = this.setup;
    const parking = this.setup.parking && new ParkedLanes(this.setup.parking);
    const groups = new Map<number, string>();
    const reader = new LogReader({
      log,
      name: `${RELAY}/${name}`,
      options: this.#options,
      clock,
      logger,
      deliver: (batch) =>
        new RelayedBatch(batch, groups.get(batch.destination) ?? '', {
          transport: name,
          publisher: transport,
          deadLetters,
          parking,
          options: this.#options,
          instance,
          clock,
          logger,
        }).run(),
      destinations: {
        transport: name,
        refresh: async () => {
          for (const { id, audience } of await listDestinations(log.store, [name])) {
            if (groups.has(id)) continue;
            // From the very beginning: a destination may have been written to before any relay saw it.
            const cursors = await log.reader(RELAY, id, 'earliest');
            groups.set(id, audience);
            reader.add(cursors, id);
          }
        },
      },
    });
    return reader;
  }
}
